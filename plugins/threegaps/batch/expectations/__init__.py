"""Great Expectations' own kind of expectations for what its core does not know.

Written a value at a time in plain Python, on purpose in another way than the translations to columns that they
certify. Importing this package imports Great Expectations (seconds): only certification does.
"""

from __future__ import annotations

from threegaps.batch.expectations.certificates import (
    ExpectCertificateNumberToFitLevel,
    ExpectCertificateNumberToFitPattern,
    ExpectCertificateNumberToFitProvince,
    ExpectCertificateNumberToFitYear,
)
from threegaps.batch.expectations.fields import (
    ExpectAmountToFitUnit,
    ExpectColumnTextToBeOfType,
    ExpectColumnToBeGivenUnless,
    ExpectColumnToBeGivenWhere,
    ExpectDateWithinYearsOf,
)
from threegaps.batch.expectations.identity import (
    ExpectCountyCodeToBeValid,
    ExpectCreditCodeToBeValid,
    ExpectResidentIdToBePrecise,
    ExpectResidentIdToBeValid,
)

__all__ = [
    "ExpectAmountToFitUnit",
    "ExpectCertificateNumberToFitLevel",
    "ExpectCertificateNumberToFitPattern",
    "ExpectCertificateNumberToFitProvince",
    "ExpectCertificateNumberToFitYear",
    "ExpectColumnTextToBeOfType",
    "ExpectColumnToBeGivenUnless",
    "ExpectColumnToBeGivenWhere",
    "ExpectCountyCodeToBeValid",
    "ExpectCreditCodeToBeValid",
    "ExpectDateWithinYearsOf",
    "ExpectResidentIdToBePrecise",
    "ExpectResidentIdToBeValid",
]
