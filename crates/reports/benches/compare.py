"""Runs both programs in turn and compares the CPU time of the best of three runs."""

import os
import resource
import subprocess
import sys

work, findings, sample, weasyprint = sys.argv[1:]


def cpu(command):
    """CPU seconds of a command and all its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def best(command):
    return min(cpu(command) for _ in range(3))


ours = os.path.join(work, "ours.pdf")
theirs = os.path.join(work, "theirs.pdf")
mine = best([sample, "pdf", "en", findings, ours])
other = best([weasyprint, "--pdf-variant", "pdf/ua-1", os.path.join(work, "report.html"), theirs])
print(f"{findings} findings: tyrian {mine:.2f} CPU s, {os.path.getsize(ours)} bytes; "
      f"weasyprint {other:.2f} CPU s, {os.path.getsize(theirs)} bytes; ratio {other / mine:.1f}")
sys.exit(0 if mine * 10 <= other else 1)
