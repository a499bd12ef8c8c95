"""Excel workbooks (ISO/IEC 29500, transitional and strict) as a stream of rows, by what their XML says.

Libraries that read workbooks lose what must not be lost: whether a formula has a stored value, what a merge covers, how
a container's escapes read, what another date system means; or they build the whole sheet in memory. Here rows come one
after the other, each cell as its text or as what is wrong with it, and nothing that only serves the eye is looked at,
except for which number formats are dates.
"""
