"""Lets a fleet of virtual phones live on a server of its own and tells what it cost the server.

Usage: fleet.py PROGRAM [SECONDS]                      CPU time of one batch of 50 readings, by request and by WebSocket, and of one refresh
       fleet.py PROGRAM soak [DEVICES [MINUTES [LINE]]]       memory, descriptors and threads while a fleet lives, each phone's readings of five seconds
                                                       by `http`, its `socket` or `grpc`; fails when memory grows

TYRIAN_SIMULATOR names another build of the program for the phones; variables that begin with TYRIAN__ configure the server. Figures are taken while the fleet lives, after it has enrolled.
"""

import http.client
import json
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PASSWORD = secrets.token_urlsafe(18)
TICK = os.sysconf("SC_CLK_TCK")
# Seconds after which a fleet that enrolled costs what it will cost.
WARM = 65
ANSWERED = re.compile(r'http_requests_total\{.*?route="[^"]*/([^/"]+)".*?\} (\d+)')
READINGS = re.compile(r'device_readings_total\{outcome="received"\} (\d+)')
# Readings that a phone of the fleets below sends at once.
BATCH = 50
# Of the memory after warming up.
MOST_GROWTH = 0.05
UNLIMITED = {
    "TYRIAN__DEVICES__SOFTWARE_KEYS": "true",
    "TYRIAN__DEVICES__REQUESTS_PER_MINUTE": "60000",
    "TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS": "20000",
    "TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS_PER_ADDRESS": "20000",
    "TYRIAN__GATEWAY__RATE_PER_ADDRESS__BURST": "10000000",
    "TYRIAN__GATEWAY__RATE_PER_ADDRESS__PER_MINUTE": "10000000",
    "TYRIAN__GATEWAY__RATE_PER_USER__BURST": "10000000",
    "TYRIAN__GATEWAY__RATE_PER_USER__PER_MINUTE": "10000000",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    def __init__(self, program, folder):
        self.program, self.environment = program, {"PATH": os.environ["PATH"], **UNLIMITED}
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith("TYRIAN__")}
        self.runs = 0
        self.data = ["--data", os.path.join(folder, "data")]
        run = {"cwd": folder, "env": self.environment, "check": True, "capture_output": True, "text": True}
        create = ["user", "create", "ada", "--email", "ada@example.org", "--role", "admin"]
        subprocess.run([program, *self.data, *create], input=PASSWORD + "\n", **run)
        told = subprocess.run([program, "--json", *self.data, "user", "token", "ada", "--name", "bench"], **run)
        self.token = json.loads(told.stdout)["token"]
        port, management = free_port(), free_port()
        self.address, self.management = f"http://127.0.0.1:{port}", management
        self.log = open(os.path.join(folder, "serve.log"), "w", encoding="utf-8")
        words = ["serve", "--listen", f"127.0.0.1:{port}", "--management", f"127.0.0.1:{management}"]
        self.process = subprocess.Popen([program, *self.data, *words], cwd=folder, env=self.environment, stdout=self.log, stderr=self.log)
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", management, timeout=5)
                connection.request("GET", "/health/ready")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit("the server does not become ready")

    def cpu(self):
        """Seconds of CPU time so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def answered(self):
        """Requests answered so far, by the last word of their route, and batches of readings, however they came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.management, timeout=5)
        connection.request("GET", "/metrics")
        told = connection.getresponse().read().decode()
        counts = {"batches": sum(int(count) for count in READINGS.findall(told)) // BATCH}
        for route, count in ANSWERED.findall(told):
            counts[route] = counts.get(route, 0) + int(count)
        return counts

    def held(self):
        """Megabytes of memory of its own, descriptors, threads."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            fields = dict(line.split(":", 1) for line in status)
        descriptors = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        return int(fields["RssAnon"].split()[0]) * 1024 / 1e6, descriptors, int(fields["Threads"])

    def simulate(self, *words):
        """The report of a simulation and the CPU time it cost the server."""
        # The same readings once more would be a replay, and caught as one.
        self.runs += 1
        words = [*words, "--seed", self.runs]
        before = self.cpu()
        command = [os.environ.get("TYRIAN_SIMULATOR", self.program), "--json", "--server", self.address, "--token", self.token, "simulate", *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 13):
            sys.exit(f"the simulation failed: {done.stdout}{done.stderr}")
        return json.loads(done.stdout), self.cpu() - before

    def stop(self):
        begun = time.perf_counter()
        self.process.terminate()
        self.process.wait(30)
        return time.perf_counter() - begun


def idle(server):
    """CPU seconds a second when nobody asks anything."""
    before = server.cpu()
    time.sleep(10)
    return (server.cpu() - before) / 10


def steady(server, seconds, *words):
    """CPU seconds of the server and requests by the end of their route, while a fleet that has enrolled lives; and what the fleet told."""
    told = {}
    lasting = ["--seconds", WARM + seconds + 10]
    fleet = threading.Thread(target=lambda: told.update(report=server.simulate(*words, *lasting)[0]))
    begun = server.answered()["batches"]
    fleet.start()
    while fleet.is_alive() and server.answered()["batches"] <= begun:
        time.sleep(0.5)
    # Rows that enrolment made are read again for a minute; buffers and caches fill.
    time.sleep(WARM)
    cpu, before = server.cpu(), server.answered()
    time.sleep(seconds)
    cpu, after = server.cpu() - cpu, server.answered()
    fleet.join()
    if "report" not in told:
        sys.exit("the simulation ended early")
    return cpu, {route: count - before.get(route, 0) for route, count in after.items()}, told["report"]["traffic"]["requests"]


def costs(server, seconds):
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        # The phones may not take the server's core away from it.
        os.sched_setaffinity(server.process.pid, cores[:1])
        os.sched_setaffinity(0, cores[1:])
    resting = idle(server)
    print(f"idle: {resting * 100:.1f} % of a core, taken off below")
    fleet = ["--devices", 800, "--rate", 50, "--every", 0.5]
    cpu, counts, figures = steady(server, seconds, *fleet)
    signals = (cpu - resting * seconds) / counts["signals"]
    told = figures["signals"]
    print(f"POST signals of 50 readings: {signals * 1e6:.0f} µs of CPU each (with one poll of commands for every fourth), {counts['signals']} of them, "
          f"p50 {told['p50_ms']:.1f} ms, p95 {told['p95_ms']:.1f} ms, p99 {told['p99_ms']:.1f} ms")
    cpu, counts, _ = steady(server, seconds, *fleet, "--line", "socket")
    print(f"the same on open WebSockets: {(cpu - resting * seconds) / counts['batches'] * 1e6:.0f} µs of CPU each, {counts['batches']} of them")
    cpu, counts, figures = steady(server, seconds, "--devices", 200, *fleet[2:], "--refresh-every", 1)
    refresh = (cpu - resting * seconds - signals * counts["signals"]) / counts["token"]
    told = figures["refresh"]
    print(f"refresh: {refresh * 1e6:.0f} µs of CPU each, database and audit entry included, {counts['token']} of them, "
          f"p50 {told['p50_ms']:.1f} ms, p95 {told['p95_ms']:.1f} ms, p99 {told['p99_ms']:.1f} ms")


def soak(server, devices, minutes, line):
    samples, stop = [], threading.Event()

    def watch():
        while not stop.wait(2):
            samples.append(server.held())

    threading.Thread(target=watch, daemon=True).start()
    report, cpu = server.simulate("--devices", devices, "--seconds", minutes * 60, "--every", 5, "--line", line)
    stop.set()
    living = samples[-int(minutes * 60 / 2) - 1:-1] or samples
    # At first caches, pools, every phone's state and the organisation's memory of fingerprints fill: 200,000 take minutes.
    warm = living[max(len(living) // 3, min(150, len(living) - 10)):]
    half = len(warm) // 2
    early, late = (statistics.median(sample[0] for sample in part) for part in (warm[:half], warm[half:]))
    growth = late / early - 1
    honest, told = report["honest"], report["traffic"]["requests"]["signals"]
    print(f"{devices} phones for {minutes:g} minutes: {early:.0f} MB, later {late:.0f} MB ({growth:+.1%}); descriptors {warm[0][1]} to "
          f"{warm[-1][1]}, threads {warm[0][2]} to {warm[-1][2]}; {cpu / report['seconds']:.2f} cores; {told['per_second']:.0f} batches/s, "
          f"p99 {told['p99_ms']:.0f} ms; locked {honest['locked']}, stepped up {honest['stepped_up']}, restricted {honest['restricted']} "
          f"of {honest['devices']}; repeated requests {report['traffic']['retries']}")
    print(f"ended in {server.stop():.1f} s")
    return growth <= MOST_GROWTH and honest["locked"] == 0


def main():
    program, words = os.path.abspath(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(program, folder)
        try:
            if words[:1] == ["soak"]:
                given = words[1:]
                devices, minutes, line = given + ["500", "12", "http"][len(given):]
                good = soak(server, int(devices), float(minutes), line)
            else:
                costs(server, float(words[0]) if words else 20)
                good = True
        finally:
            server.process.kill()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
