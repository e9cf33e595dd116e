"""Random vectors of every version, all metric groups: `tyrian cvss` must say what the library `cvss` (PyPI) says."""

import json
import random
import subprocess
import sys

from cvss import CVSS2, CVSS3, CVSS4

REQUIREMENT_2 = ["ND", "L", "M", "H"]
VERSIONS = {
    "": (
        dict(AV="LAN", AC="HML", Au="MSN", C="NPC", I="NPC", A="NPC"),
        dict(
            E=["ND", "U", "POC", "F", "H"], RL=["ND", "OF", "TF", "W", "U"], RC=["ND", "UC", "UR", "C"],
            CDP=["ND", "N", "L", "LM", "MH", "H"], TD=["ND", "N", "L", "M", "H"],
            CR=REQUIREMENT_2, IR=REQUIREMENT_2, AR=REQUIREMENT_2,
        ),
    ),
    "CVSS:3": (
        dict(AV="NALP", AC="LH", PR="NLH", UI="NR", S="UC", C="HLN", I="HLN", A="HLN"),
        dict(
            E="XHFPU", RL="XUWTO", RC="XCRU", CR="XHML", IR="XHML", AR="XHML", MAV="XNALP", MAC="XLH", MPR="XNLH", MUI="XNR",
            MS="XUC", MC="XHLN", MI="XHLN", MA="XHLN",
        ),
    ),
    "CVSS:4.0/": (
        dict(AV="NALP", AC="LH", AT="NP", PR="NLH", UI="NPA", VC="HLN", VI="HLN", VA="HLN", SC="HLN", SI="HLN", SA="HLN"),
        dict(
            E="XAPU", CR="XHML", IR="XHML", AR="XHML", MAV="XNALP", MAC="XLH", MAT="XNP", MPR="XNLH", MUI="XNPA", MVC="XHLN",
            MVI="XHLN", MVA="XHLN", MSC="XHLN", MSI="XSHLN", MSA="XSHLN", S="XNP", AU="XNY", R="XAUI", V="XDC", RE="XLMH",
            U=["X", "Clear", "Green", "Amber", "Red"],
        ),
    ),
}


def vector(prefix):
    base, optional = VERSIONS["CVSS:3" if prefix.startswith("CVSS:3") else prefix]
    share = random.random()
    metrics = [f"{name}:{random.choice(values)}" for name, values in base.items()]
    metrics += [f"{name}:{random.choice(values)}" for name, values in optional.items() if random.random() < share]
    if random.random() < 0.3:
        random.shuffle(metrics)
    return prefix + "/".join(metrics)


def expected(text):
    """Scores, severity of the first of them, canonical text."""
    if text.startswith("CVSS:4"):
        other = CVSS4(text)
        return (float(other.base_score),), other.severity.lower(), other.clean_vector()
    if text.startswith("CVSS:3"):
        other = CVSS3(text)
        return other.scores(), other.severities()[0].lower(), other.clean_vector()
    other = CVSS2(text)
    # "-0.0" is zero; NVD, whose severities v2.0 has here, knows none of "None".
    return tuple(None if score is None else abs(score) for score in other.scores()), None, other.clean_vector()


def said(answer):
    if answer["version"] == "4.0":
        return (answer["score"],), answer["severity"], answer["canonical"]
    scores = (answer["base_score"], answer.get("temporal_score"), answer.get("environmental_score"))
    return scores, answer["base_severity"] if answer["version"] != "2.0" else None, answer["canonical"]


def main():
    program, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    vectors = [vector(prefix) for _ in range(count) for prefix in ("", "CVSS:3.0/", "CVSS:3.1/", "CVSS:4.0/")]
    done = subprocess.run([program, "cvss", "--json"], input="\n".join(vectors), capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    assert [answer["vector"] for answer in answers] == vectors
    failed = 0
    for text, answer in zip(vectors, answers):
        if said(answer) != expected(text):
            failed += 1
            print(text, "expected", expected(text), "said", said(answer), file=sys.stderr)
    print(f"{len(vectors) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
