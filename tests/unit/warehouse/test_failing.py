"""What the ledger says of a load that failed, in Chinese and in English."""

from __future__ import annotations

import psycopg
import pytest

from threegaps.errors import FeedError
from threegaps.ledger.attempts import failure_of
from threegaps.warehouse.load import _noted

NO_WORKBOOK = "The file is no Excel workbook that can be read: it is a cut off archive."
AGAIN = "ask the department to open it and to save it again as .xlsx."


def test_an_error_of_ours_is_said_in_each_language() -> None:
    error = FeedError(NO_WORKBOOK, feed="union/agreements", file="a.xlsx", advice=AGAIN)
    zh, en = _noted(error)
    assert en == str(error)
    assert zh == (
        "处理失败:文件 a.xlsx:到达的内容不符合合同:文件不是能读取的 Excel 工作簿:它是被截断的压缩包。"
        "处理办法:请部门打开后另存为 .xlsx。"
    )
    assert failure_of(error).message_zh in zh


@pytest.mark.parametrize(
    ("error", "zh", "en"),
    [
        (psycopg.OperationalError("timeout expired"), "超时没有应答", "no answer in time"),
        (ValueError("331002199001011234"), "ValueError: 见载入的日志。", "ValueError: see the log of the load."),
    ],
)
def test_what_others_are_is_said_in_each_language(error: Exception, zh: str, en: str) -> None:
    assert _noted(error) == (f"处理失败:{zh}", en)
