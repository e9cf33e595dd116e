"""Starts `tyrian serve` on embedded storage and tells how long the first answer took and what it
holds in memory when nothing happens. Fails when a figure of the specification is missed.

Usage: idle.py PROGRAM
"""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROUNDS = 7
IDLE_SECONDS = 20
MOST_MILLISECONDS = 300
MOST_MEGABYTES = 60


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def first_200(port, begun):
    """Milliseconds until `/health/live` answers 200."""
    while time.perf_counter() - begun < 30:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == 200:
                return (time.perf_counter() - begun) * 1000
        except OSError:
            time.sleep(0.002)
    sys.exit("no 200 within 30 s")


def resident(process):
    """Resident memory of one process in megabytes: now and at its peak."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return [int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM")]


def serve(program, folder, log):
    port, management = free_port(), free_port()
    begun = time.perf_counter()
    server = subprocess.Popen(
        [program, "--data", folder, "serve", "--listen", f"127.0.0.1:{port}", "--management", f"127.0.0.1:{management}"],
        cwd=folder, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
    return server, management, begun


def main():
    program = os.path.abspath(sys.argv[1])
    fresh, again = [], []
    with tempfile.TemporaryDirectory() as scratch:
        with open(os.path.join(scratch, "log"), "w+", encoding="utf-8") as log:
            for number in range(ROUNDS):
                folder = os.path.join(scratch, str(number))
                os.mkdir(folder)
                for times in (fresh, again):
                    server, management, begun = serve(program, folder, log)
                    try:
                        times.append(first_200(management, begun))
                        if number == ROUNDS - 1 and times is again:
                            time.sleep(IDLE_SECONDS)
                            now, most = resident(server.pid)
                            cpu = sum(float(field) for field in open(f"/proc/{server.pid}/stat").read().rsplit(")", 1)[1].split()[11:13])
                    finally:
                        server.terminate()
                        server.wait(30)
    start = statistics.median(again)
    print(f"first 200 after process start, medians of {ROUNDS}: {statistics.median(fresh):.0f} ms with an empty folder, {start:.0f} ms after that")
    print(f"resident memory after {IDLE_SECONDS} s without a request: {now:.1f} MB (peak {most:.1f} MB), "
          f"CPU time used until then: {cpu / os.sysconf('SC_CLK_TCK'):.2f} s")
    sys.exit(0 if start <= MOST_MILLISECONDS and statistics.median(fresh) <= MOST_MILLISECONDS and now <= MOST_MEGABYTES else 1)


main()
