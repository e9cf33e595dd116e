"""Writes the figures that sixty nights would have written into the database of a judge's server."""

import datetime
import math
import sqlite3
import sys

database = sqlite3.connect(sys.argv[1], timeout=30)
(tenant,) = database.execute("SELECT tenant_id FROM imports LIMIT 1").fetchone()
today = datetime.datetime.now(datetime.timezone.utc).date()
for age in range(60, 0, -1):
    day = (today - datetime.timedelta(days=age)).isoformat()
    for severity, most in enumerate([14, 18, 22, 11, 4]):
        standing = round(most * (1.1 + math.sin((60 - age) / 9 + severity)) / 2)
        opened, fixed = (age * (severity + 3)) % 4, (age * (severity + 5)) % 3
        row = (tenant, day, "", severity, opened, fixed, standing, 1, 1, standing // 5, fixed * 86_400 * (3 + (age * severity) % 17), 0)
        database.execute(f"INSERT OR IGNORE INTO vulnerability_trends VALUES ({','.join('?' * len(row))})", row)
database.commit()
