"""Runs every command of docs/cli.md with --json and validates what it prints.

Usage: commands.py PROGRAM SERVER FOLDER, with TOKEN and PASSWORD in the environment.
"""

import json
import math
import os
import pathlib
import re
import subprocess
import sys

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

program, server, folder = sys.argv[1:]
folder = pathlib.Path(folder)
docs = pathlib.Path(__file__).parents[2] / "docs"
data = str(folder / "alone")
# Nothing else to run: it ends when it is told to.
UNASKED = {"serve"}

NMAP = """<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap 192.0.2.7" version="7.93" start="1767225600" xmloutputversion="1.05"><host><status state="up"/>
<address addr="192.0.2.7" addrtype="ipv4"/><ports><port protocol="tcp" portid="22"><state state="open"/><service name="ssh"/></port></ports></host>
<runstats><finished time="1767225660" exit="success"/></runstats></nmaprun>"""
NUCLEI = ('{"template-id":"exposed-git","info":{"name":"Exposed .git","severity":"medium"},"type":"http","host":"http://192.0.2.7",'
          '"matched-at":"http://192.0.2.7/.git/HEAD"}\n{"no": "template"}\n')
MAPPING = {"name": "acme", "fields": {"title": "Issue", "check": "Issue", "severity": "Level", "host": "Server"}, "keys": ["Issue", "Server"]}
NOBODY = "00000000-0000-7000-8000-000000000000"
TABLE = "Issue,Level,Server\nOld kernel,high,db.example.org\n"
EPSS = "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile\nCVE-2021-44228,0.94,0.99\n"


def written(name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def recordings():
    """Four sessions of somebody who walks."""
    rows = ["subject,session,activity,t,ax,ay,az,gx,gy,gz"]
    for row in range(2400):
        turn = row * 0.11
        rows.append(f"ana,s{row // 600},walking,{row % 600 * 0.01:.3f},{math.sin(turn):.4f},9.{row % 7},1.5,0.1,{math.cos(turn):.4f},0.2")
    return "\n".join(rows) + "\n"


def leaves():
    """The commands that do something, as docs/cli.md describes them."""
    text = (docs / "cli.md").read_text(encoding="utf-8")
    parts = re.split(r"^## tyrian ?", text, flags=re.MULTILINE)[1:]
    names = {part.split("\n", 1)[0]: "\nCommands:" in part for part in parts}
    # `search` takes words as well as commands.
    return {name for name, leads_on in names.items() if name and (not leads_on or name == "search")} - UNASKED


class Judge:
    def __init__(self):
        self.schema = json.loads((docs / "cli.schema.json").read_text(encoding="utf-8"))
        api = Resource(json.loads((docs / "openapi.json").read_text(encoding="utf-8")), DRAFT202012)
        own = Resource(self.schema, DRAFT202012)
        self.registry = Registry().with_resources([("urn:docs/openapi.json", api), ("openapi.json", api), ("urn:docs/cli.schema.json", own)])
        Draft202012Validator.check_schema(self.schema)
        self.passed, self.failed, self.seen = 0, 0, set()

    def expect(self, what, fault):
        if fault:
            print(f"FAILED {what}: {fault}")
            self.failed += 1
        else:
            self.passed += 1

    def valid(self, name, document):
        validator = Draft202012Validator({"$id": "cli.schema.json", **self.schema, "$ref": f"#/$defs/{name}"}, registry=self.registry)
        faults = [f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)]
        return "; ".join(faults[:3])

    def run(self, command, *words, code=0, where=("--data", data), given="", failure=False):
        """Runs a command; the document it printed."""
        line = [program, "--json", *where, *command.split(), *words]
        done = subprocess.run(line, input=given, capture_output=True, text=True, timeout=120, check=False, cwd=folder)
        try:
            document = json.loads(done.stdout)
        except ValueError:
            self.expect(command, f"not one JSON document: {done.stdout[:200]!r} {done.stderr[:300]}")
            return None
        name = "failure" if failure else command.replace(" ", "_").replace("-", "_")
        self.expect(f"{command}: exit code", "" if done.returncode == code else f"{done.returncode}: {done.stdout[:300]}")
        self.expect(f"{command}: document", self.valid(name, document))
        if not failure:
            self.seen.add(command)
        return document


def alone(judge):
    nmap, nuclei = written("nmap.xml", NMAP), written("nuclei.jsonl", NUCLEI)
    mapping, table = written("acme.json", json.dumps(MAPPING)), written("acme.csv", TABLE)
    judge.run("import", "--dry-run", nmap)
    judge.run("import", "--dry-run", nmap, nuclei)
    judge.run("import", nuclei)
    judge.run("import", nmap, nuclei)
    judge.run("import", written("noise.bin", "\0\1"), code=3, failure=True)
    judge.run("diff", nmap, nuclei)
    judge.run("mapping try", mapping, table)
    for verb, *words in (["save", mapping], ["list"], ["show", "acme"], ["delete", "acme"]):
        judge.run(f"mapping {verb}", *words)
    finding, other = [found["id"] for found in judge.run("findings list")["findings"][:2]]
    judge.run("findings note", finding, "-", given="asked the team\nno answer yet\n")
    judge.run("findings show", finding)
    judge.run("findings decide", finding, "accepted", "--reason", "behind a proxy")
    judge.run("findings decide", finding, "reopen", "--reason", "it is not")
    judge.run("findings decide", finding, other, "confirmed", "--reason", "looked at both")
    judge.run("findings decide", NOBODY, "fixed", "--reason", "nobody knows it", code=5, failure=True)
    judge.run("findings show", "no-id", code=3, failure=True)
    for verb in ("causes", "paths", "patterns"):
        judge.run(f"findings {verb}")
    judge.run("findings export", "--format", "sarif", "--output", str(folder / "findings.sarif"))
    judge.run("cvss", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "AV:N/AC:L/Au:N/C:P/I:P/A:P")
    judge.run("cvss", "nonsense", code=3)
    judge.run("feeds update", "--file", written("epss.csv", EPSS))
    judge.run("feeds list")
    judge.run("search", "severity:medium")
    judge.run("search indices")
    judge.run("search rebuild")
    judge.run("user create", "ada", "--email", "ada@example.org", "--role", "admin", given=os.environ["PASSWORD"] + "\n")
    judge.run("user list")
    judge.run("user token", "ada", "--name", "judge")
    judge.run("keys list")
    for purpose in ("jwt", "ssf", "audit"):
        judge.run("keys rotate", purpose)
    log = str(folder / "log.jsonl")
    judge.run("audit export", log)
    judge.run("audit verify", log)
    judge.run("audit verify")
    judge.run("scan", "127.0.0.1:9", "--i-own-this", "this machine is ours", "--output", str(folder / "report"))
    judge.run("scan", "127.0.0.2", code=4, failure=True)
    judge.run("config check")
    judge.run("config reference")
    judge.run("doctor")
    judge.run("attest verify", "--kind", "android-key", written("no-chain.pem", "no chain"), code=3)
    judge.run("threat evaluate", written("walk.csv", recordings()), "--device-days", "1")
    judge.run("findings", "lst", code=2, failure=True)


def with_phones(judge):
    there = ("--server", server, "--token", os.environ["TOKEN"])
    judge.run("simulate", "--devices", "1", "--seconds", "1", "--every", "0.5", where=there)
    judge.run("devices enrol-code", "Phone of Ada", where=there)
    phone = judge.run("devices list", where=there)["devices"][0]["device"]["id"]
    judge.run("devices show", phone, where=there)
    judge.run("devices lock", phone, "--reason", "left in a taxi", where=there)
    judge.run("devices why", phone, where=there)
    judge.run("devices unlock", phone, "--reason", "found again", where=there)


def main():
    judge = Judge()
    alone(judge)
    with_phones(judge)
    judge.expect("every command is tried", leaves() ^ judge.seen)
    shared = {"failure", "by_severity", "reading", "attestation"}
    named = {command.replace(" ", "_").replace("-", "_") for command in leaves()}
    judge.expect("every definition is used", set(judge.schema["$defs"]) ^ named ^ shared)
    print(f"{judge.passed} passed, {judge.failed} failed")
    sys.exit(1 if judge.failed else 0)


main()
