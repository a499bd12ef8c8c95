"""Ways to people: mail, a webhook, and the robots of DingTalk and WeCom. Standard library only."""
