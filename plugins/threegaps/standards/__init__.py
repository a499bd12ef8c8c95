"""National standards that rules and clean-ups rest on: identity numbers, credit codes, divisions."""
