"""What Airflow's page says of each DAG and task: what it does, what its failure means, what to do; and who answers.

The sections named are those of `docs/runbook.md`; a test looks that there are such.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from threegaps.contracts.labels import meaning_zh
from threegaps.contracts.model import Contract
from threegaps.settings import Settings

LINKS_VARIABLE = "THREEGAPS_TEAM_LINKS"
"""Where an installation says how its teams are reached: `hrss=mailto:… duty=https://…`, apart by blanks."""

DUTY_DESK = "duty"
DUTY_TEAM = "数据值班席 data duty desk"


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a DAG or task.

    Args:
        title: Its name in Chinese and English.
        does_zh, does_en: What it does.
        fails_zh, fails_en: What its failure means, and what to do.
        sections: Headings of the runbook that lead on.
    """

    title: str
    does_zh: str
    does_en: str
    fails_zh: str
    fails_en: str
    sections: tuple[str, ...]

    @property
    def text(self) -> str:
        """The page in Markdown."""
        named = ", ".join(f"“{section}”" for section in self.sections)
        return (
            f"**做什么** {self.does_zh}\n\n**What it does** {self.does_en}\n\n"
            f"**失败意味着** {self.fails_zh}\n\n**A failure means** {self.fails_en}\n\n"
            f"**怎么办 · What to do** `docs/runbook.md`: {named}; `threegaps status`, `threegaps doctor`\n"
        )


FEED = Page(
    "",
    "取回部门报送的数据,逐行判定后载入数据仓库;每次运行对应一个报送期(分区键)。",
    "Fetches what the department sends, judges every row and loads it; a run belongs to one delivery, its partition"
    " key.",
    "本数据源停在上一次成功的报送期,其他数据源与已发布的数值不受影响,本期数值保持“暂定”。日志最后一行是原因;"
    "修好后清除失败的任务,或等下一次运行,它会补齐中间缺的各期。",
    "The feed stays at the last delivery that succeeded; other feeds and what is released are not touched, and figures"
    " stay provisional. The last line of the log is the cause. Clear the failed task when it is mended, or wait for the"
    " next run, which takes what is missing in between.",
    ("A feed is late", "A batch has stopped or failed"),
)
MARTS = Page(
    "指标库 marts",
    "任一数据源载入后被唤醒:认领台账中待构建的批次,由 dbt 重算受影响的部分,核对后发布差异。",
    "Woken by the load of any feed: claims the batches that wait in the ledger, rebuilds what they affect with dbt,"
    " checks, and releases the difference.",
    "读者看到的仍是上一次发布,不会有一半新一半旧;失败的构建交还其批次,下一次运行重新认领。",
    "Readers go on with the last release, never a mixture; a failed build gives its batches back, and the next run"
    " claims them again.",
    ("A build fails",),
)
RELEASED = Page(
    "发布通知 released",
    "有新的发布且有指标变动时,发出资产事件 marts_released,附发布号、变动的指标与数据日期;供其他系统的 DAG 订阅。",
    "Sends an event of the asset marts_released when a release has changed indicators, with the release, the indicators"
    " and the as-of day; DAGs of other systems are scheduled on it.",
    "发布本身已经完成;订阅者尚未被唤醒。修好后触发本 DAG,它会补报上次通知以来的全部变动,不会重复。",
    "The release itself is served; those who wait for it have not been woken. Trigger this DAG when it is mended: it"
    " tells of all that changed since it last told, and of nothing twice.",
    ("A build fails", "A service does not start"),
)
UPKEEP = Page(
    "日常维护 upkeep",
    "每五分钟:为长时间无人认领的批次唤醒指标库,再取迟到或恢复连接的数据源;结束已中断的构建与读者的超长事务,"
    "标记被中断的取数,登记各数据源应报的报送期,恢复读者登录的设置。各部分互不等待,一部分失败不影响其余。",
    "Every five minutes: wakes the marts for work that nobody has claimed, runs feeds that are late or whose department"
    " lets us in again; ends dead builds and readers' overlong transactions, marks attempts that were cut off, enters"
    " what feeds owe, and puts back what readers changed of their logins. No part waits for another, and one that fails"
    " keeps none of the others.",
    "数据仓库没有应答,或登录被更改而无法恢复;任务日志逐一说明哪一部分失败及其原因,五分钟后再做。",
    "The warehouse does not answer, or a login cannot be put back: the task's log says each part that failed and why;"
    " all is done again after five minutes.",
    ("A service does not start", "A reader cannot get in, or is cut off"),
)
RETENTION = Page(
    "保存期限 retention",
    "每晚:删除超过合同保存期限的到达文件;其校验和与行数保留。",
    "Once a night: deletes landed copies that are older than their contract has them kept; their hashes and counts"
    " stay.",
    "个人信息的副本比合同规定的保存得久;各数据源不受影响。检查保存期限的设置与存储的权限。",
    "Copies of personal data stay longer than the contract has them kept; the feeds go on. Look at the setting of the"
    " retention and at the rights of the store.",
    ("The disk is full",),
)

TASKS: dict[str, Page] = {
    "land": Page(
        "取数 land",
        "按合同的连接与路径取回截至本期的文件或行,原样保存,登记校验和、大小与时间;已有的不再取。",
        "Fetches what the contract's connection has up to the delivery, keeps the bytes as sent, and notes hash, size"
        " and time; what is there already is left alone.",
        "部门系统无法连接、拒绝登录、证书不符或文件不合约定。会自动重试五次;仍失败则看日志最后一行。",
        "The department's system cannot be reached, refuses the login, is not the one agreed on, or its files are not"
        " as agreed. It is tried again five times by itself; after that the last line of the log says why.",
        ("A feed is late", "A connection's secret changed"),
    ),
    "load": Page(
        "判定载入 load",
        "逐块解码、逐行判定,拒收的行连同全部原因进入拒收区,其余以假名载入;全部在一次提交后可见,随后发出资产事件。",
        "Decodes and judges block by block; refused rows go into quarantine with every reason, the others are loaded"
        " under pseudonyms; one commit makes all visible, and the asset event follows.",
        "有规则使批次停止,或数据仓库没有应答;没有任何一行可见。行数与原因见 `threegaps batches`。",
        "A rule stopped the batch, or the warehouse does not answer; not one row is visible. `threegaps batches` has"
        " counts and reasons.",
        ("A batch has stopped or failed", "Rows were refused: what to send back"),
    ),
    "claim": Page(
        "认领 claim",
        "从台账认领尚未进入任何发布的批次,定下构建号与数据日期;没有待处理时跳过后面的任务。",
        "Claims the batches of the ledger that no release has consumed, and sets the build's number and as-of day; the"
        " rest is skipped when there is none.",
        "数据仓库没有应答,或另一次构建仍在进行;批次留在原处,下一次运行认领。",
        "The warehouse does not answer, or another build is under way.",
        ("A build fails",),
    ),
    "build": Page(
        "构建 build",
        "运行一次 dbt,只重算受影响的部分,写入 build;读者看不到。",
        "Runs dbt once for what is affected, into build; readers see nothing of it.",
        "模型出错或空间不足。不重试:其批次已交还,下一次运行重新认领。",
        "A model fails, or there is no room. It is not retried: its batches are given back, and the next run claims"
        " them.",
        ("A build fails", "The disk is full"),
    ),
    "release": Page(
        "核对发布 release",
        "核对所建内容,只把差异写入读者所见,旧值进入历史;一个事务完成。",
        "Checks what was built, and serves just the difference; what it replaces goes into history, all in one"
        " transaction.",
        "某项核对未通过:继续使用上一次发布,原因见日志与 `threegaps release list`。",
        "A check did not pass: the last release goes on serving; the log and `threegaps release list` say why.",
        ("A build fails", "A figure is wrong"),
    ),
    "wake_released": Page(
        "唤醒通知 wake_released",
        "发布之后触发 DAG released;带分区键的事件不会唤醒按资产订阅的 DAG,所以由一个不带键的来通知。",
        "Triggers the DAG released after a release: a keyed event does not wake DAGs that are scheduled on an asset, so"
        " one without a key tells them.",
        "发布已经完成,订阅者尚未被唤醒;清除本任务或手工触发 released。",
        "The release is served, and those who wait for it have not been woken: clear this task, or trigger released.",
        ("A service does not start",),
    ),
    "tell": Page(
        "通知 tell",
        "对照上一次通知的发布号,汇总此后变动的指标,发出 marts_released 事件;没有变动则跳过,不发事件。",
        "Compares with the release of its last event, sums up which indicators have changed since, and sends the event"
        " marts_released; it is skipped, and sends none, where nothing has.",
        RELEASED.fails_zh,
        RELEASED.fails_en,
        ("A build fails", "A service does not start"),
    ),
    "put_in_order": Page(
        "整理 put_in_order",
        "依次:交还已中断构建的批次,标记被中断的取数与载入,登记应报的报送期,结束读者的超长事务,恢复读者登录。"
        "各部分各有时限;失败的记入日志,其余照做,最后任务失败。",
        "One after the other: gives back the batches of dead builds, marks attempts that were cut off, enters what"
        " feeds owe, ends readers' overlong transactions, puts back readers' logins. Each has its own limit of time;"
        " one that fails is said in the log, the others are done, and the task fails at its end.",
        UPKEEP.fails_zh,
        UPKEEP.fails_en,
        ("A service does not start", "A reader cannot get in, or is cut off"),
    ),
    "find_waiting_work": Page(
        "查找等待的工作 find_waiting_work",
        "查看是否有已载入的批次数分钟无人认领:唤醒丢失,或 marts 曾被暂停。",
        "Looks whether loaded batches have stayed unclaimed for some minutes: a wake-up was lost, or the marts were"
        " paused.",
        "数据仓库没有应答;五分钟后再看,丢失的唤醒等到那时。",
        "The warehouse does not answer; it is looked again after five minutes, and a wake-up that was lost waits until"
        " then.",
        ("A service does not start", "A build fails"),
    ),
    "find_feeds_that_answer": Page(
        "查找恢复连接的数据源 find_feeds_that_answer",
        "找出取数失败、没有运行正在进行或等待重试、其部门系统现在又能连接的数据源(试连,不取任何数据)。"
        "已暂停的 DAG 除外。",
        "Finds feeds that failed, have no run under way or waiting for its retry, and whose department's system"
        " lets us in now (it is tried, nothing is fetched). DAGs that are paused are left out.",
        "数据仓库没有应答;数据源等到下一次检查或其计划的运行。",
        "The warehouse does not answer; the feeds wait for the next look, or for their scheduled run.",
        ("A department's system cannot be reached", "A feed is late"),
    ),
    "wake_feeds_that_answer": Page(
        "重新取数 wake_feeds_that_answer",
        "为找出的数据源各触发一次运行,取最近应报的一期及之前所缺的各期。",
        "Triggers one run for each feed found: of the newest delivery that is due, with all that is missing before it.",
        "Airflow 不接受该运行;可在该数据源的页面手动触发。",
        "Airflow does not take the run; trigger it on the feed's page.",
        ("A department's system cannot be reached", "A feed is late"),
    ),
    "find_late_feeds": Page(
        "查找迟到的数据源 find_late_feeds",
        "找出迟到的数据源:应报时刻起一周内每三小时一次,其后每天一次。已暂停的 DAG 除外。",
        "Finds feeds that are late: every three hours for a week from the due moment, then once a day. DAGs that are"
        " paused are left out.",
        "数据仓库没有应答;数据源等到下一次检查或其计划的运行。",
        "The warehouse does not answer; the feeds wait for the next look, or for their scheduled run.",
        ("A department's system cannot be reached", "A feed is late"),
    ),
    "wake_late_feeds": Page(
        "再取迟到 wake_late_feeds",
        "为迟到的数据源各触发一次运行,取最近应报的一期及之前所缺的各期。",
        "Triggers one run for each late feed: of the newest delivery that is due, with all that is missing before it.",
        "Airflow 不接受该运行;可在该数据源的页面手动触发。",
        "Airflow does not take the run; trigger it on the feed's page.",
        ("A department's system cannot be reached", "A feed is late"),
    ),
    "wake_marts": Page(
        "唤醒指标库 wake_marts",
        "触发 DAG marts,认领等待的批次。",
        "Triggers the DAG marts for the batches that wait.",
        "这些批次继续等待;五分钟后再试。",
        "The batches go on waiting; it is tried again after five minutes.",
        ("A build fails",),
    ),
    "end_old_copies": Page(
        "到期删除 end_old_copies",
        RETENTION.does_zh,
        RETENTION.does_en,
        RETENTION.fails_zh,
        RETENTION.fails_en,
        ("The disk is full",),
    ),
}


def feed_page(contract: Contract) -> str:
    """The page of a feed's DAG: what it brings, from whom, and what its columns mean."""
    columns = "\n".join(
        f"| `{column.name}` | {meaning_zh(column)} | {column.description_en} | {column.grade} |"
        for column in contract.columns
    )
    return (
        f"**{contract.title_zh}** · {contract.title_en}\n\n{contract.row_zh}。{contract.row_en}.\n\n"
        f"报送部门 {contract.owner_zh} · connection `{contract.connection_id}` · {contract.delivery_kind} · "
        f"due {contract.due_day}\n\n{FEED.text}\n"
        f"| column | 含义 | meaning | grade |\n|---|---|---|---|\n{columns}\n"
    )


def task_words(task_id: str) -> dict[str, Any]:
    """Keyword arguments for a task: its name and page."""
    page = TASKS[task_id]
    return {"task_display_name": page.title, "doc_md": page.text}


def feed_team(contract: Contract) -> str:
    """Who answers for a feed: the body that sends it. A comma would part the name in two for Airflow."""
    return contract.owner_zh.replace(",", "、")


def owner_links(teams: dict[str, str]) -> dict[str, str]:
    """Links of teams on Airflow's page; a team whose address this installation has not said has none.

    Args:
        teams: By the key in `LINKS_VARIABLE` (a department, or `duty`), the owner as Airflow shows it.
    """
    links, _ = read_links(Settings.load())
    return {owner: links[key] for key, owner in teams.items() if key in links}


def read_links(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """How teams are reached, and what of it cannot be taken: Airflow would read no DAG with a link of another form."""
    links: dict[str, str] = {}
    faults: list[str] = []
    for entry in (settings.text(LINKS_VARIABLE) or "").split():
        team, _, link = entry.partition("=")
        parts = urlsplit(link)
        is_mail = parts.scheme == "mailto" and "@" in parts.path
        if team and (is_mail or (parts.scheme in {"http", "https"} and parts.netloc)):
            links[team] = link
        else:
            faults.append(entry)
    return links, faults
