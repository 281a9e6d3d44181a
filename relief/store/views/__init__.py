"""Read models: what screens show, each in one or few set-based statements within the reader's area.

Row-level security bounds the counties; where a role ends below the county, `villages` (LIKE patterns of village codes) bounds it further.
Lists page by keyset: `after` is the last row seen.
"""
