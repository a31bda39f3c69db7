# SPDX-License-Identifier: ISC
"""What must be reached, and whether it is: the first table of RESULTS.md."""
import statistics

COMMANDS = ["REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE", "COUNT", "GETMSG", "DELMSG"]
PIPELINED, ONE_EACH, ALONE = (16, 64, 64), (64, 1, 64), (1, 1, 64)  # clients, depth, bytes


def spread(ratios):
    if not ratios:
        return "not measured"
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def least(case, times):
    """ns an operation: what else the machine does can only add to it."""
    return min(times[case]["ns"])


class Goal:
    """A row. values: of each round, judged by their median; less: the less the better."""

    def __init__(self, what, values, asked=None, proud=None, less=False, shown=None):
        self.what = what
        self.values = values
        self.asked = asked
        self.proud = proud
        self.less = less
        self.shown = shown or spread(values)

    def reaches(self, target):
        found = statistics.median(self.values)
        return found <= target if self.less else found >= target

    def verdict(self):
        if self.asked is None and self.proud is None:
            return ""
        if not self.values:
            return "not measured"
        if self.proud is not None and self.reaches(self.proud):
            return "proud"
        if self.asked is None:
            return "short of it"
        return "met" if self.reaches(self.asked) else "**not met**"

    def row(self):
        sign = "≤" if self.less else "≥"
        return [self.what] + [f"{sign} {target:g}" if target is not None else "" for target in (self.asked, self.proud)] + [
            self.shown, self.verdict()]


def ratio_goals(grid):
    """Of the servers beside each other, round by round."""
    slower = [a["latency_us"]["median"] / b["latency_us"]["median"] for a, b in
              zip(grid.results.get(("smspd --memory", ALONE), []), grid.results.get(("echo", ALONE), []))]
    return [
        Goal("16 clients, 64 deep, in memory: requests, ÷ Redis", grid.ratios("smspd --memory", "redis", PIPELINED), 1.5, 3),
        Goal("the same: messages, ÷ Redis", grid.ratios("smspd --memory", "redis", PIPELINED, "rounds_per_second")),
        Goal("64 clients, one request at a time, in memory: requests, ÷ Redis",
             grid.ratios("smspd --memory", "redis", ONE_EACH), 0.6, 1),
        Goal("beside it an empty toy, an echo server that forks: requests, ÷ Redis", grid.ratios("echo", "redis", ONE_EACH)),
        Goal("64 clients, one request at a time, durable: requests, ÷ Redis `appendfsync always`",
             grid.ratios("smspd --data", "redis always", ONE_EACH), 1, 1.5),
        Goal("64 clients, one request at a time, durable: requests, ÷ beanstalkd `-f0`",
             grid.ratios("smspd --data", "beanstalkd -f0", ONE_EACH), 1, 1.5),
        Goal("one client, one at a time: median latency, ÷ echo", slower, 2, 1.5, less=True),
    ]


def server_goals(found):
    """Of what is measured beside the grid."""
    connections = found.get("connections", {})
    forks = [a / b for a, b in zip(connections.get("smspd --memory", []), connections.get("fork and exit", []))]
    goals = [Goal("connections with one request each, ÷ bare fork and exit", forks, 0.5, 0.7)]
    for name, pairs in found.get("large", {}).get("loads", {}).items():
        small, large = found["large"]["sizes"]
        goals.append(Goal(f"{name}, {large:,} accounts and messages in the server: time, ÷ with {small:,}",
                          [a / b for a, b in pairs], 1.5, 1.2, less=True))
    idle = {count: size / 1024 for count, size in found.get("idle", [])}
    if 100 in idle:
        goals.append(Goal("an idle client with 100 of them, KiB (PSS)", [idle[100]], None, 110, True, f"**{idle[100]:.0f}**"))
    return goals


def growth_goals(engine):
    """A command on a large state and on a small one: the worst command."""
    times = engine["times"]
    large = [case["size"] for case in times.values() if case.get("size", 0) > 1000]
    goals = []
    for what, counts in (("instructions", engine["instructions"]),
                         ("time at random places", {name: least(name, times) for name, case in times.items() if case["ns"]})):
        worst, verb = max((counts[f"execute {verb}, {large[0]} accounts"] / counts[f"execute {verb}, 1000 accounts"], verb)
                          for verb in COMMANDS)
        goals.append(Goal(f"the engine's command that grows most with {large[0]:,} accounts: {what}, ÷ with 1,000", [worst],
                          1.5, 1.2, True, f"**{worst:.2f}** ({verb})"))
    return goals


def memory_goals(times):
    account = times["memory an account"]["bytes_each"] - 96
    message, size = max((case["bytes_each"] / (1.25 * size + 64), size) for name, case in times.items()
                        if name.startswith("memory a message of ") for size in [int(name.rsplit(" ", 1)[1])])
    return [Goal("an account besides name and tokens, bytes", [account], None, 128, True, f"**{account:.0f}**"),
            Goal("a message, ÷ (its text + 25 % + 64 bytes), the worst size", [message], None, 1, True,
                 f"**{message:.2f}** ({size} bytes)")]


def engine_goals(engine):
    times = engine.get("times", {})
    if "parse COUNT, ours" not in times:
        return []
    ours, re2c = least("parse COUNT, ours", times), least("parse COUNT, re2c", times)
    goals = [Goal("parsing a short request (COUNT): time, ÷ re2c's", [ours / re2c], 1, None, True, f"**{ours / re2c:.2f}**"),
             Goal("parsing it, ns", [ours], None, 60, True, f"**{ours:.0f}**")]
    for kind, asked, proud in (("ASCII", 1, 4), ("mixed", None, 1)):
        rate = 4096 / least(f"text of 4096 bytes, {kind}", times)
        goals.append(Goal(f"checking a 4 KiB content, {kind}, GB/s", [rate], asked, proud, False, f"**{rate:.1f}**"))
    large = [case for case in times.values() if case.get("size", 0) > 1000]
    return goals + (growth_goals(engine) if large else []) + memory_goals(times)


def all_goals(grid, found, engine):
    return (ratio_goals(grid) if grid.results else []) + (server_goals(found) if found else []) + engine_goals(engine)


def summary(goals):
    """How many reach what, in a sentence."""
    verdicts = [goal.verdict() for goal in goals if goal.asked is not None or goal.proud is not None]
    missed = [goal.what for goal in goals if goal.verdict() in ("**not met**", "not measured")]
    said = (f"Of {len(verdicts)} figures {verdicts.count('proud')} are what we would be proud of, "
            f"{verdicts.count('met') + verdicts.count('short of it')} are as asked for, {len(missed)} are not")
    return said + ("." if not missed else ": " + "; ".join(missed) + ".")
