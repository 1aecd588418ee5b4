"""Computes the headline numbers of a service report anew, from the files alone.

usage: recompute.py DIR < report.json

DIR has terms.json and the tables that the report was made from. Nothing here knows
the library; the rules are those that the contract states. Fractions are exact.
Prints a line for each number that differs, and last how many were compared.
"""

import csv
import json
import pathlib
import sys
from datetime import datetime, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

folder = pathlib.Path(sys.argv[1])
terms = json.loads((folder / "terms.json").read_text())
report = json.load(sys.stdin)
compared = 0


def instant(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) if text else None


def rows(name):
    path = folder / name
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def check(what, got, want):
    """Compares a number of the report with one of ours, to 1e-9."""
    global compared
    compared += 1
    same = got is None and want is None
    if got is not None and want is not None:
        same = abs(Fraction(str(got)) - Fraction(want)) <= Fraction(1, 10**9) * max(1, abs(Fraction(want)))
    if not same:
        print(f"{what}: {got}, want {None if want is None else float(want)}")


def cut(fraction):
    """A percentage is cut at six decimals, never rounded up."""
    return Fraction(int(fraction * 100 * 10**6), 10**6)


def union(spans):
    merged = []
    for start, end in sorted(s for s in spans if s[0] < s[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def meet(a, b):
    return union((max(s, x), min(e, y)) for s, e in a for x, y in b)


def length(spans):
    return sum(e - s for s, e in union(spans))


def mean(values):
    return Fraction(sum(values), len(values)) if values else None


def quantile(values, q):
    if not values:
        return None
    values, at = sorted(values), Fraction(q) * (len(values) - 1)
    low = int(at)
    return values[low] + (at - low) * (values[min(low + 1, len(values) - 1)] - values[low])


# The period: the month of the contract's zone, up to now.
zone = ZoneInfo(terms["zone"])
year, month = map(int, terms["month"].split("-"))
start = int(datetime(year, month, 1, tzinfo=zone).timestamp())
end = int(datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone).timestamp())
now = instant(terms["now"])
period = [(start, min(end, now))]
inside = lambda t: t is not None and period[0][0] <= t < period[0][1]
seconds = length(period)
check("period.seconds", report["period"]["seconds"], end - start)  # of the whole month

outages, windows = rows("outages.csv"), rows("maintenance.csv")


def spans(service, kind, cause=None):
    return union(
        (instant(r["start"]), instant(r["end"]) or now)
        for r in outages
        if r["service"] == service and r["kind"] == kind and (cause is None or (r["cause"] or "provider") == cause)
    )


def noticed(w):
    return w["announced"] and instant(w["start"]) - instant(w["announced"]) >= terms["min_notice"]


# Availability of each service.
values, downs, stretches = {}, {}, 0
for reported, service in zip(report["availability"], terms["services"]):
    name = service["id"]
    raw = meet(spans(name, "down"), period)
    excluded = [
        (instant(w["start"]), instant(w["end"]))
        for w in windows
        if w["service"] in (name, "*") and w["type"] == "planned" and w["status"] != "cancelled" and noticed(w)
    ]
    for cause in terms["exclude"]:
        excluded += spans(name, "down", cause)
    away = length(meet(raw, union(excluded)))
    down = length(raw) - away
    values[name], downs[name] = Fraction(seconds - down, seconds), down
    check(name + ".raw_down_s", reported["raw_down_s"], length(raw))
    check(name + ".excluded_s", reported["excluded_s"], away)
    check(name + ".down_s", reported["down_s"], down)
    check(name + ".availability_percent", reported["availability_percent"], cut(values[name]))
    check(name + ".availability_fraction", str(Fraction(reported["availability_fraction"])), values[name])
    check(name + ".budget_left_s", reported["budget_left_s"], seconds * (1 - Fraction(service["target"]) / 100) - down)
    check(name + ".met", int(reported["met"]), int(values[name] >= Fraction(service["target"]) / 100))
worst = min(values, key=lambda s: (values[s], s))
missed = any(values[s["id"]] < Fraction(s["target"]) / 100 for s in terms["services"])
check("overall.availability_percent", report["overall"]["availability_percent"], cut(values[worst]))

# Incidents: a duration belongs to the period in which it ends.
incidents = rows("incidents.csv")
for r in incidents:
    for key in ("started", "detected", "opened", "acknowledged", "responded", "resolved"):
        r[key] = instant(r[key])
repaired = lambda r: r["resolved"] - (r["detected"] if r["detected"] is not None else r["opened"])
late = []  # clause and severity of every answer or restoration that is due money
clocks = {"response": {}, "resolution": {}}
for reported in report["incidents"]["by_severity"]:
    severity = reported["severity"]
    mine = [r for r in incidents if r["severity"] == severity]
    done = [repaired(r) for r in mine if inside(r["resolved"])]
    check(severity + ".count", reported["count"], sum(inside(r["opened"]) for r in mine))
    check(severity + ".mttd_s", reported["mttd_s"], mean([r["detected"] - r["started"] for r in mine if inside(r["detected"]) and r["started"] is not None]))
    check(severity + ".mtta_s", reported["mtta_s"], mean([r["acknowledged"] - r["opened"] for r in mine if inside(r["acknowledged"])]))
    check(severity + ".mttr_s", reported["mttr_s"], mean(done))
    check(severity + ".p95_resolve_s", reported["p95_resolve_s"], quantile(done, Fraction(95, 100)))
    for clause in clocks:
        target = terms[clause].get(severity)
        if target is None:
            continue
        tally = {"met": 0, "missed": 0}
        for r in mine:
            if clause == "response":
                answered = r["responded"] if r["responded"] is not None else r["acknowledged"]
                good = answered is not None and answered - r["opened"] <= target
            else:
                answered = r["resolved"]
                good = answered is not None and answered - r["opened"] < target
            if good:
                tally["met"] += inside(answered)
            elif inside(r["opened"] + target):
                tally["missed"] += 1
                late.append((clause, severity))
        for verdict, count in tally.items():
            check(f"{severity}.{clause}_{verdict}", reported[f"{clause}_{verdict}"], count)

# Credits: each line is rounded half up to cents, then they are summed and capped.
fee = Fraction(terms["fee"])
half_up = lambda amount: Fraction(int(amount * 100 + Fraction(1, 2)), 100)
lines = []
if missed:
    bands = [b["percent"] for b in terms["bands"] if values[worst] * 100 < Fraction(b["below"])]
    lines.append(half_up(fee * max(bands, default=0) / 100))
for clause, severity in late:
    lines.append(Fraction(terms["late"].get(severity, 0)) if clause == "response" else half_up(fee * terms["restoration_percent"] / 100))
blind = length(meet(union(s for service in terms["services"] for s in spans(service["id"], "unmonitored")), period))
if blind:
    lines.append(half_up(fee * terms["monitoring_percent"] / 100 * Fraction(blind, 3600)))
gross = sum(lines, Fraction(0))
check("credits.gross", report["credits"]["gross"]["amount"], gross)
check("credits.payable", report["credits"]["payable"]["amount"], min(gross, fee * terms["cap_percent"] / 100))

# Key figures.
figures = {k["name"]: k["value"] for k in report["kpis"]}
for severity in ("p1", "p2", "p3", "p4"):
    check("mttr_" + severity, figures["mttr_" + severity], mean([repaired(r) for r in incidents if r["severity"] == severity and inside(r["resolved"])]))
check("mttd", figures["mttd"], mean([r["detected"] - r["started"] for r in incidents if inside(r["detected"]) and r["started"] is not None]))
check("mtta", figures["mtta"], mean([r["acknowledged"] - r["opened"] for r in incidents if inside(r["acknowledged"])]))
check("incident_volume", figures["incident_volume"], sum(inside(r["opened"]) for r in incidents))
changes = [r for r in rows("changes.csv") if r["outcome"] not in ("", "cancelled") and inside(instant(r["end"]))]
good = sum(r["outcome"] == "success" and not r["caused_incident"] for r in changes)
check("changes.total", report["changes"]["total"], len(changes))
check("changes.success_percent", report["changes"]["success_percent"], cut(Fraction(good, len(changes))) if changes else None)
print(compared, "compared")
