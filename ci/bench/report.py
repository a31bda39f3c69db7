"""RESULTS.md and the plots, from what measure.py found."""
import os
import shutil
import statistics
import subprocess

ORDER = ["smspd --memory", "redis", "beanstalkd", "smspd --data", "redis always", "beanstalkd -f0",
         "Python reference", "echo"]
COMMANDS = ["REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE", "COUNT", "GETMSG", "DELMSG"]


def median(values):
    return statistics.median(values)


def figure(value):
    """Three digits, thousands apart."""
    if value >= 1000:
        digits = 3 - len(str(int(value)))
        return f"{int(round(value, digits)):,}"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


class Grid:
    """The loads of all servers: {(server, (clients, depth, size)): [each round's result]}."""

    def __init__(self, listed):
        self.results = {(entry["server"], tuple(entry["cell"])): entry["rounds"] for entry in listed}
        self.servers = [name for name in ORDER if any(key[0] == name for key in self.results)]
        self.cells = sorted({key[1] for key in self.results})

    def rates(self, server, cell, what="requests_per_second"):
        return [found[what] for found in self.results.get((server, cell), [])]

    def ratios(self, server, other, cell, what="requests_per_second"):
        """Round by round, so that what else the machine did meanwhile counts for both."""
        return [a / b for a, b in zip(self.rates(server, cell, what), self.rates(other, cell, what))]


def spread(ratios):
    if not ratios:
        return "not measured"
    return f"**{median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f})"


def goal_rows(grid, found, engine):
    """What must be reached, and what was: one row each."""
    pipelined, one_each, alone = (16, 64, 64), (64, 1, 64), (1, 1, 64)
    rows = [
        ["16 clients, 64 deep, in memory: requests, ÷ Redis", "1.5", "3",
         spread(grid.ratios("smspd --memory", "redis", pipelined))],
        ["the same: messages, ÷ Redis", "", "",
         spread(grid.ratios("smspd --memory", "redis", pipelined, "rounds_per_second"))],
        ["64 clients, one request at a time, in memory: requests, ÷ Redis", "0.6", "1.0",
         spread(grid.ratios("smspd --memory", "redis", one_each))],
        ["the same: requests, ÷ an echo server that forks", "", "",
         spread(grid.ratios("smspd --memory", "echo", one_each))],
        ["the same, durable: requests, ÷ Redis `appendfsync always`", "1.0", "1.5",
         spread(grid.ratios("smspd --data", "redis always", one_each))],
        ["the same, durable: requests, ÷ beanstalkd `-f0`", "1.0", "1.5",
         spread(grid.ratios("smspd --data", "beanstalkd -f0", one_each))],
    ]
    slower = [a["latency_us"]["median"] / b["latency_us"]["median"] for a, b in
              zip(grid.results.get(("smspd --memory", alone), []), grid.results.get(("echo", alone), []))]
    rows.append(["one client, one at a time: median latency, ÷ echo (less is better)", "2", "1.5", spread(slower)])
    connections = found.get("connections", {})
    forks = [a / b for a, b in zip(connections.get("smspd --memory", []), connections.get("fork and exit", []))]
    rows.append(["connections with one request each, ÷ bare fork and exit", "0.5", "0.7", spread(forks)])
    for name, pairs in found.get("large", {}).get("loads", {}).items():
        rows.append([f"{name} with {found['large']['sizes'][1]:,} accounts and messages: time ÷ with "
                     f"{found['large']['sizes'][0]:,}", "1.5", "1.2", spread([a / b for a, b in pairs])])
    idle = dict(tuple(pair) for pair in found.get("idle", []))
    if 100 in idle:
        rows.append(["memory of an idle client with 100 of them, KiB (PSS)", "", "110", f"**{idle[100] / 1024:.0f}**"])
    return rows + engine_goal_rows(engine)


def least(case, times):
    """ns an operation: what else the machine does can only add to it."""
    return min(times[case]["ns"])


def engine_goal_rows(engine):
    times = engine.get("times", {})
    if "parse COUNT, ours" not in times:
        return []
    ours, re2c = least("parse COUNT, ours", times), least("parse COUNT, re2c", times)
    rows = [["parsing a short request (COUNT), time ÷ re2c's (less is better)", "1.0", "",
             f"**{ours / re2c:.2f}**"],
            ["the same, ns", "", "60", f"**{ours:.0f}**"]]
    for kind, asked, proud in (("ASCII", "1", "4"), ("mixed", "", "1")):
        rate = 4096 / least(f"text of 4096 bytes, {kind}", times)
        rows.append([f"checking a 4 KiB content, {kind}, GB/s", asked, proud, f"**{rate:.1f}**"])
    large = [case["size"] for case in times.values() if case.get("size", 0) > 1000]
    if large:
        for what, counts in (("instructions", engine["instructions"]),
                             ("time at random places", {name: least(name, times) for name, case in times.items()
                                                        if case["ns"]})):
            worst = max((counts[f"execute {verb}, {large[0]} accounts"] / counts[f"execute {verb}, 1000 accounts"], verb)
                        for verb in COMMANDS)
            rows.append([f"a command with {large[0]:,} accounts and messages ÷ with 1,000: {what}, the worst", "1.5",
                         "1.2", f"**{worst[0]:.2f}** ({worst[1]})"])
    rows.append(["memory of an account besides name and tokens, bytes", "", "128",
                 f"**{times['memory an account']['bytes_each'] - 96:.0f}**"])
    return rows


def grid_part(grid):
    head = ["clients × depth, bytes"] + [name for name in grid.servers]
    lines = ["## Requests a second", "", "Medians; a message is 4 requests of ours (MESSAGE, STORE, GETMSG, DELMSG), 3 of "
             "Redis (RPUSH, LINDEX, LPOP) and of beanstalkd (put, peek, delete), 1 of echo.", ""]
    for title, what in (("", "requests_per_second"), ("## Messages a second", "rounds_per_second")):
        rows = [[f"{clients} × {depth}, {size}"] +
                [figure(median(grid.rates(server, (clients, depth, size), what)))
                 if grid.rates(server, (clients, depth, size), what) else "" for server in grid.servers]
                for clients, depth, size in grid.cells]
        lines += ([title, ""] if title else []) + table(head, rows)
    rows = []
    for cell in grid.cells:
        clients, depth, size = cell
        row = [f"{clients} × {depth}, {size}"]
        for server in grid.servers:
            found = grid.results.get((server, cell))
            row.append(" / ".join(figure(median([one["latency_us"][name] for one in found]))
                                  for name in ("median", "p99")) if found else "")
        rows.append(row)
    lines += ["## Latency in microseconds, median / 99 %", ""] + table(head, rows)
    rows = [[f"{clients} × {depth}, {size}",
             spread(grid.ratios("smspd --memory", "redis", (clients, depth, size))),
             spread(grid.ratios("smspd --memory", "beanstalkd", (clients, depth, size))),
             spread(grid.ratios("smspd --memory", "Python reference", (clients, depth, size)))]
            for clients, depth, size in grid.cells]
    return ["## Ratios: requests of `smspd --memory` ÷", ""] + table(
        ["clients × depth, bytes", "Redis", "beanstalkd", "Python reference"], rows) + lines


def server_part(found):
    lines = []
    if found.get("growth"):
        lines += ["## Growth with clients (one request at a time, 64 bytes)", ""] + table(
            ["clients", "requests/s", "keeper's share of a processor", "99 % latency, ms"],
            [[count, figure(rate), f"{share:.0%}", f"{p99 / 1000:.2f}"]
             for count, (rate, share, p99) in sorted(found["growth"].items(), key=lambda item: int(item[0]))])
        lines += ["![growth](growth.svg)", "", "![by clients](clients.svg)", ""]
    if found.get("large"):
        lines += large_part(found["large"])
    lines += ["## Connections, memory, start-up, size", ""]
    lines += table(["connections a second, each with one request", "median"],
                   [[name, figure(median(rates))] for name, rates in found["connections"].items()])
    lines += table(["idle clients", "KiB (PSS) each"], [[str(count), f"{size / 1024:.0f}"] for count, size in found["idle"]])
    lines += table(["from start to listening", "ms"],
                   [[name, f"{median(times):.1f}"] for name, times in found["start_up"].items()])
    lines += table(["stripped", "KiB"], [[f"`{name}`", f"{size / 1024:.0f}"] for name, size in found["sizes"].items()])
    return lines


def large_part(large):
    small, big = (f"{size:,} accounts and messages" for size in large["sizes"])
    rows = [[name, figure(median([a for a, _ in rows])), figure(median([b for _, b in rows])),
             spread([a / b for a, b in rows])] for name, rows in large["loads"].items()]
    return (["## A large state (`smspd --data`)", ""] + table(["requests/s", small, big, "time ÷ (less is better)"], rows) +
            table(["", small, big], [["from start to listening, s"] + [f"{t:.2f}" for t in large["loading"]],
                                     ["the keeper's memory, MiB (PSS)"] + [f"{m / 2**20:.1f}" for m in large["memory"]]]))


def engine_part(engine):
    times, counts = engine["times"], engine["instructions"]
    lines = ["## The engine alone", "", "Times are the least of the rounds. Instructions are callgrind's and repeat to the digit with the "
             "same compiler and processor.", ""]
    parsed = [name[len("parse "):-len(", ours")] for name in times if name.startswith("parse ") and name.endswith(", ours")]
    rows = []
    for kind in parsed:
        row = [kind]
        for parser in ("ours", "re2c", "strtok"):
            case = f"parse {kind}, {parser}"
            row += [f"{least(case, times):.0f}", figure(counts[case])]
        rows.append(row)
    lines += table(["parsing", "ours, ns", "instructions", "re2c, ns", "instructions", "strtok, ns", "instructions"], rows)
    rows = []
    for name, case in times.items():
        if name.startswith(("frame", "text")):
            each = case["bytes"] / case["operations"]
            rows.append([name, f"{least(name, times):.0f}", figure(counts[name]), f"{counts[name] / each:.2f}",
                         f"{each / least(name, times):.1f}"])
    lines += table(["framing and text", "ns a request", "instructions", "instructions a byte", "GB/s"], rows)
    sizes = sorted({case["size"] for case in times.values() if case.get("size")})
    head = ["executing, at random places"]
    for size in sizes:
        head += [f"{size:,} accounts: ns", "instructions"]
    rows = []
    for verb in COMMANDS:
        row = [verb]
        for size in sizes:
            case = f"execute {verb}, {size} accounts"
            row += [f"{least(case, times):.0f}", figure(counts[case])]
        rows.append(row)
    lines += table(head, rows)
    lines += table(["memory", "bytes each"], [[name[len("memory "):], f"{case['bytes_each']:.0f}"]
                                              for name, case in times.items() if name.startswith("memory ")])
    return lines


def about_line(what, about):
    loads = f", interleaved, {about['seconds']} s a load" if what == "The servers" else ""
    return (f"{what}: {about['date']}, {about['cores']} cores ({about['processor']}), Linux {about['kernel']}, "
            f"{about['compiler']}; {about['rounds']} rounds{loads}; load average at the beginning "
            f"{about['load_average']:.1f}.")


PLOT = """set terminal svg size 760,420 font "sans,13" background "white"
set output "{out}"
set key {key}
set grid
set xlabel "clients"
set logscale x 2
set style data linespoints
"""


def plot(out, script, data):
    """Runs gnuplot; without it the plots stay as they are."""
    if not shutil.which("gnuplot"):
        return
    for name, rows in data.items():
        with open(os.path.join(out, name), "w", encoding="ascii") as file:
            file.writelines(" ".join(map(str, row)) + "\n" for row in rows)
    subprocess.run(["gnuplot"], input=script, text=True, cwd=out, check=True)
    for name in data:
        os.remove(os.path.join(out, name))


def plot_growth(found, out):
    rows = [(count, rate / 1000, share * 100) for count, (rate, share, _) in
            sorted(found["growth"].items(), key=lambda item: int(item[0]))]
    script = PLOT.format(out="growth.svg", key="bottom right") + """set ylabel "thousand requests/s"
set y2label "% of a processor"
set y2tics
set yrange [0:*]
set y2range [0:100]
set ytics nomirror
set title "smspd --memory, one request at a time: throughput and the keeper's share"
plot "growth.dat" using 1:2 lw 2 title "requests/s", "" using 1:3 axes x1y2 lw 2 title "keeper"
"""
    plot(out, script, {"growth.dat": rows})


def plot_clients(grid, out):
    """Two panels: one request at a time, and 64 deep."""
    data = {}
    panels = []
    for depth in (1, 64):
        lines = []
        for number, server in enumerate(grid.servers):
            rows = [(clients, median(grid.rates(server, (clients, d, size))) / 1000)
                    for clients, d, size in grid.cells if d == depth and size == 64 and grid.rates(server, (clients, d, size))]
            if len(rows) > 1:
                name = f"{depth}-{number}.dat"
                data[name] = rows
                lines.append(f'"{name}" lw 2 title "{server}"')
        if lines:
            panels.append(f'set title "{depth} deep, 64 bytes"\nplot ' + ", ".join(lines) + "\n")
    if panels:
        script = PLOT.format(out="clients.svg", key="outside bottom horizontal").replace("760,420", "760,900")
        script += 'set ylabel "thousand requests/s"\nset yrange [1:*]\nset logscale y\nset multiplot layout 2,1\n'
        plot(out, script + "".join(panels), data)


def write(found, out):
    servers, engine = found.get("servers", {}), found.get("engine", {})
    grid = Grid(servers.get("grid", []))
    lines = ["# Results", "", "`make bench` and `make bench-engine` write this page, each its part. How it measures, and what the words mean: "
             "[README.md](README.md); what was tried: [LOG.md](LOG.md).", ""]
    if servers:
        lines.append("- " + about_line("The servers", found["servers_about"]))
    if engine:
        lines.append("- " + about_line("The engine", found["engine_about"]))
    if servers and found["servers_about"]["load_average"] > 2:
        lines.append("- **The machine was busy with other work** (see the load average): the ratios between servers are "
                     "coarse, their spread says how coarse, and rates are far below what an idle machine gives.")
    named = found.get("servers_about") or found["engine_about"]
    lines += [f"- smspd {named['smspd']} ({named['parts']}), Redis {named['redis']}, beanstalkd {named['beanstalkd']}, "
              f"re2c {named['re2c']}.", "",
              "## What it must reach", "", "Ratios are taken round by round; shown are the median and, in brackets, the "
              "least and the most.", ""]
    lines += table(["what", "at least", "proud of", "measured"], goal_rows(grid, servers, engine))
    if servers:
        lines += grid_part(grid) + server_part(servers)
        plot_growth(servers, out)
        plot_clients(grid, out)
    if engine:
        lines += engine_part(engine)
    with open(os.path.join(out, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
