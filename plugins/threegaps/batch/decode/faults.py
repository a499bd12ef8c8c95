"""What can be wrong with a row before any of its values is judged, in words for the department and for us.

A message never quotes what was received: it names the kind, the column and the position.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """Kinds of what could not be had, with their messages in Chinese and in English."""

    BYTES = ("含有不属于所声明编码的字节", "holds bytes that are not of the declared encoding")
    NUL = ("含有空字符(NUL)", "holds a NUL")
    HALF_CHARACTER = ("含有半个字符", "holds half a character")
    LINE_BREAK = ("文本内有换行", "has a line break inside a text")
    CUT = (
        "在文件末尾中断,文件可能不完整,请重新报送",
        "breaks off at the end of the file: the file may not be whole, and is to be sent again",
    )
    QUOTE = ("引号没有成对", "has a quote without its other half")
    TOO_LONG = ("内容过长", "is longer than a value may be")
    FORMULA = ("是没有存储结果的公式", "is a formula without a stored value")
    FORMULA_ERROR = ("是公式错误值", "is the error of a formula")
    MERGED = ("在合并单元格内,不能确定本行的值", "lies under a merged cell: its own value is not known")
    NO_DAY = ("的日期序号不对应任何一天", "is a serial number that stands for no day")
    EPOCH = ("的日期序号不能确定按哪种日期系统", "is a serial number as text, and the workbook counts days from 1904")
    UNKNOWN_CELL = ("的单元格类型无法识别", "is a cell of no known kind")
    KEY_TWICE = ("在同一条记录中出现两次", "stands twice in the record")
    KEY_MISSING = ("在这条记录中缺失", "is missing from the record, and not only empty")
    NO_NUMBER = ("不是数值(NaN或无穷大)", "is no number (NaN or infinite)")
    NESTED = ("嵌套过深", "is nested too deeply")

    @property
    def message_zh(self) -> str:
        """What it is, in Chinese."""
        return self.value[0]

    @property
    def message_en(self) -> str:
        """What it is, in English."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing of a row that could not be had.

    Args:
        kind: What it is.
        column: The column, by its canonical name; None where it is not known which.
        cell: Where it stands in its sheet, such as ``F7`` or ``E5:E6``; empty where there are no sheets.
        sheet: The sheet's position in the workbook, from 1; 0 where there are none.
    """

    kind: FaultKind
    column: str | None = None
    cell: str = ""
    sheet: int = 0

    def reason_zh(self, label: str | None) -> str:
        """The reason in Chinese; *label* is what people call the column."""
        where = f"(第{self.sheet}张工作表{self.cell})" if self.cell else ""
        return f"{label or '该行'}{self.kind.message_zh}{where}"

    def reason_en(self) -> str:
        """The reason in English."""
        where = f" (sheet {self.sheet}, {self.cell})" if self.cell else ""
        return f"{self.column or 'the row'} {self.kind.message_en}{where}"
