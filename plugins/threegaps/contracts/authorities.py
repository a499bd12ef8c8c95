"""The standards and laws that contracts cite, by the URN that they cite them by; a title is written once, here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GRADES = "urn:standard:db33-t:2351:2021"
CATALOGUE_FIELDS = "urn:guideline:ndrc:2017:1272"
RETENTION = "urn:law:cn:state-council:681"
FORMS = "urn:guideline:zj-stats:2024:31"
RESIDENT_IDS = "urn:standard:gb:11643:1999"
CREDIT_CODES = "urn:standard:gb:32100:2015"
DIVISIONS = "urn:standard:gb-t:2260:2007"
INDUSTRIES = "urn:standard:gb-t:4754:2017"
OCCUPATIONS = "urn:classification:cn:occupations:2022"


@dataclass(frozen=True, slots=True)
class Authority:
    """A standard, classification, guideline or law.

    Args:
        kind: Which of these.
        title: Its number and title, as a citation begins.
    """

    kind: str
    title: str


AUTHORITIES: Mapping[str, Authority] = {
    GRADES: Authority("standard", "DB33/T 2351—2021 数字化改革 公共数据分类分级指南"),
    CATALOGUE_FIELDS: Authority("guideline", "政务信息资源目录编制指南(试行)"),
    RETENTION: Authority("law", "中华人民共和国统计法实施条例(国务院令第681号)"),
    FORMS: Authority("guideline", "浙江省部门统计调查项目管理办法(浙统〔2024〕31号)"),
    "urn:law:cn:state-council:809": Authority("law", "政务数据共享条例(国务院令第809号)"),
    "urn:standard:ld-t:6003-6006:2023": Authority(
        "standard",
        "LD/T 6003—2023至LD/T 6006—2023 人力资源社会保障信息资源库、接口报文、数据同步、人员信息指标集与代码",
    ),
    RESIDENT_IDS: Authority("standard", "GB 11643—1999 公民身份号码"),
    "urn:standard:gb-t:2261.1:2003": Authority(
        "standard", "GB/T 2261.1—2003 个人基本信息分类与代码 第1部分:人的性别代码"
    ),
    CREDIT_CODES: Authority("standard", "GB 32100—2015 法人和其他组织统一社会信用代码编码规则"),
    DIVISIONS: Authority("standard", "GB/T 2260—2007 中华人民共和国行政区划代码"),
    "urn:guideline:cn:urban-rural:2008": Authority("guideline", "统计上划分城乡的规定(国函〔2008〕60号)"),
    INDUSTRIES: Authority("standard", "GB/T 4754—2017 国民经济行业分类"),
    OCCUPATIONS: Authority("classification", "中华人民共和国职业分类大典(2022年版)"),
}
"""What may be cited; another one is added here first."""
