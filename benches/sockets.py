"""Holds many sockets of virtual phones open on a server of its own and tells what they cost it.

Usage: sockets.py PROGRAM [SOCKETS [PROCESSES]]        10,000 sockets held by two processes when not said, which is the fewest

Tells the memory of an idle socket with all that is held of its phone, the CPU time of connecting and authenticating one, and how long two kill
switches for everybody took to the last socket. Memory is what the server grew by after the first process of phones, so that what a server that
works needs once is not counted. Server and phones have a core each. Processes of phones come from addresses of their own, as one address has too few
ports for all. TYRIAN_SIMULATOR names another build of the program for the phones.
"""

import http.client
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import fleet

MOST_BYTES = 6 * 1024
MOST_CONNECT = 90e-6
MOST_BROADCAST = 0.150
# Descriptors of the server that are no sockets of phones.
SPARE = 500
# Between two looks of a phone that is stopped.
EVERY = 10
# The server gives back what its allocator holds free once a minute.
SETTLED = 65


def metric(port, name):
    """The sum of a gauge over its labels."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " ")))


def order(server, path, body, token=None):
    """What an operator orders; the answer, and the moment it came."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=60)
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    connection.request("POST", "/api/v1/" + path, body=json.dumps(body), headers=headers)
    response = connection.getresponse()
    told, at = json.loads(response.read() or "null"), time.time()
    connection.close()
    if response.status >= 300:
        sys.exit(f"{path}: {response.status} {told}")
    return told, at


def until(what, condition, seconds=300):
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            sys.exit(f"never happened: {what}")
        time.sleep(0.1)


def hold(server, number, sockets, life, log):
    """Starts a process of phones."""
    program = os.environ.get("TYRIAN_SIMULATOR", server.program)
    words = ["--json", "--server", server.address, "--token", server.token, "simulate", "--line", "socket", "--silent", "--devices", sockets,
             "--seconds", life, "--every", EVERY, "--seed", number + 1, "--bind", f"127.0.0.{number + 2}"]
    command = ["taskset", "-c", str((os.cpu_count() or 1) - 1), program, *map(str, words)]
    return subprocess.Popen(command, env=server.environment, stdout=log, stderr=subprocess.DEVNULL)


def opened(server, target, phones, resting):
    """Waits until so many lines are open; CPU seconds it took since the first of them, and the megabytes held then. `resting` is what idling costs a second."""
    before = metric(server.management, "device_lines")
    mark = None
    while True:
        cpu, lines = server.cpu(), metric(server.management, "device_lines")
        if lines <= before:
            mark = (cpu, time.monotonic())
        if lines >= target:
            break
        if phones.poll() is not None:
            sys.exit("the phones ended early")
        time.sleep(0.05)
    cpu -= mark[0] + resting * (time.monotonic() - mark[1])
    # What answers of all kinds were built in is given back first.
    time.sleep(SETTLED)
    return cpu, server.held()[0]


def broadcast(server, sockets):
    """Throws the kill switch of the organisation, waits until nobody is left, and releases it."""
    # A kill switch takes a person who signed in.
    token = order(server, "auth/login", {"username": "ada", "password": fleet.PASSWORD})[0]["access_token"]
    told, _ = order(server, "devices/switches", {"scope": "tenant", "reason": "a drill", "seconds": 600}, token)
    begun = time.time()
    _, answered = order(server, f"devices/switches/{told['id']}/confirm", {"password": fleet.PASSWORD}, token)
    until("everybody is told", lambda: metric(server.management, "device_lines") == 0)
    time.sleep(2)
    order(server, f"devices/switches/{told['id']}/release", {"reason": "it was a drill"}, token)
    until("everybody is back", lambda: metric(server.management, "device_lines") >= sockets)
    return begun, answered


def main():
    program, words = os.path.abspath(sys.argv[1]), [int(word) for word in sys.argv[2:]]
    sockets, processes = (words + [10_000, 2][len(words):])[:2]
    processes = max(processes, 2)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sockets + SPARE > most:
        sys.exit(f"{sockets} sockets need {sockets + SPARE} descriptors, and {most} is the most that is allowed here")
    os.environ |= {"TYRIAN__DEVICES__LINES": str(sockets + SPARE), "TYRIAN__GATEWAY__MAXIMUM_CONNECTIONS": str(sockets + SPARE)}
    with tempfile.TemporaryDirectory() as folder:
        server = fleet.Server(program, folder)
        try:
            sys.exit(0 if measure(server, sockets, processes, folder) else 1)
        finally:
            server.process.kill()


def measure(server, sockets, processes, folder):
    for thread in os.listdir(f"/proc/{server.process.pid}/task"):
        os.sched_setaffinity(int(thread), {0})
    resting = fleet.idle(server)
    # Time for all to open their lines, for two kill switches and as many returns.
    life = 150 + sockets // 250 + SETTLED * processes
    each, held, cost, settled, reports = sockets // processes, [], 0.0, [], []
    for number in range(processes):
        reports.append(open(os.path.join(folder, f"phones-{number}.json"), "w+", encoding="utf-8"))
        held.append(hold(server, number, each, life, reports[-1]))
        cpu, megabytes = opened(server, each * (number + 1), held[-1], resting)
        cost += cpu
        settled.append(megabytes)
    sockets = each * processes
    megabytes, descriptors, threads = server.held()
    switched = [broadcast(server, sockets) for _ in range(2)]
    for phones in held:
        phones.wait(life + 120)
    took = []
    for number, (begun, answered) in enumerate(switched):
        bursts = []
        for report in reports:
            report.seek(0)
            bursts.append(json.load(report)["traffic"]["line_ends"]["devices.stopped"]["bursts"][number])
        told, last = sum(burst["count"] for burst in bursts), max(burst["last_at"] for burst in bursts) / 1e6
        first = min(burst["first_at"] for burst in bursts) / 1e6
        took.append(last - begun)
        print(f"kill switch {number + 1}: {told} of {sockets} phones told; the first after {(first - begun) * 1e3:.0f} ms, the last after "
              f"{(last - begun) * 1e3:.0f} ms; the operator was answered after {(answered - begun) * 1e3:.0f} ms (password check included)")
    grown = (settled[-1] - settled[0]) * 1e6 / (each * (processes - 1))
    print(f"an idle socket: {grown / 1024:.1f} KiB of user memory; {sockets} of them: {megabytes:.0f} MB in all, {descriptors} descriptors, {threads} threads")
    print(f"connecting and authenticating: {cost / sockets * 1e6:.0f} µs of CPU each")
    return grown <= MOST_BYTES and cost / sockets <= MOST_CONNECT and max(took) <= MOST_BROADCAST


if __name__ == "__main__":
    main()
