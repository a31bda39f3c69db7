# SPDX-License-Identifier: ISC
"""RESULTS.md and the plots, from what measure.py found."""
import os
import shutil
import statistics
import subprocess

from goals import COMMANDS, all_goals, least, spread, summary

ORDER = ["smspd --memory", "redis", "beanstalkd", "smspd --data", "redis always", "beanstalkd -f0",
         "Python reference", "echo"]


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
    return ratio_part(grid, "smspd --memory", ["redis", "beanstalkd", "Python reference"]) + ratio_part(
        grid, "smspd --data", ["redis always", "beanstalkd -f0"]) + lines


def ratio_part(grid, server, others):
    """One server's requests, divided by those of each of the others."""
    rows = [[f"{clients} × {depth}, {size}"] +
            [spread(grid.ratios(server, other, (clients, depth, size))) for other in others]
            for clients, depth, size in grid.cells]
    return [f"## Ratios: requests of `{server}` ÷", ""] + table(["clients × depth, bytes"] + others, rows)


def server_part(found):
    lines = []
    if found.get("growth"):
        lines += ["## Growth with clients (one request at a time, 64 bytes)", ""] + table(
            ["clients", "requests/s", "keeper's share of a processor", "99 % latency, ms"],
            [[count, figure(rate), f"{share:.0%}", f"{p99 / 1000:.2f}"]
             for count, (rate, share, p99) in sorted(found["growth"].items(), key=lambda item: int(item[0]))])
        lines += [saturation(found["growth"]), "", "![growth](growth.svg)", "", "![by clients](clients.svg)", ""]
    if found.get("large"):
        lines += large_part(found["large"])
    lines += ["## Connections, memory, start-up, size", ""]
    lines += table(["connections a second, each with one request", "median"],
                   [[name, figure(median(rates))] for name, rates in found["connections"].items()])
    lines += table(["idle clients", "KiB (PSS) each"], [[str(count), f"{size / 1024:.0f}"] for count, size in found["idle"]])
    lines += table(["from start to listening", "ms"],
                   [[name, f"{median(times):.1f}"] for name, times in found["start_up"].items()])
    lines += fuzzing_part(found.get("fuzzing", {}))
    lines += table(["stripped", "KiB"], [[f"`{name}`", f"{size / 1024:.0f}"] for name, size in found["sizes"].items()])
    return lines


def saturation(growth):
    """Where more clients bring no more, in a sentence."""
    rows = sorted((int(count), rate, share) for count, (rate, share, _) in growth.items())
    most = max(rows, key=lambda row: row[1])
    enough = next(row for row in rows if row[1] >= 0.9 * most[1])
    return (f"The most are {figure(most[1])} requests/s with {most[0]} clients; nine tenths of that are reached with "
            f"{enough[0]}, where the keeper takes {enough[2]:.0%} of a processor; with {rows[-1][0]} clients it takes "
            f"{rows[-1][2]:.0%} at {figure(rows[-1][1])} requests/s. What the keeper leaves is the workers', the driver's "
            "and the kernel's.")


def fuzzing_part(found):
    rows = [[f"`{name}`", figure(one["runs_a_second"]), figure(one["of_a_core"])] for name, one in found.items()]
    return table(["fuzzing, sanitizers and all oracles on", "runs/s", "runs/s of a core"], rows or [["not measured", "", ""]])


def large_part(large):
    small, big = (f"{size:,} accounts and messages" for size in large["sizes"])
    rows = [[name, figure(median([a for a, _ in rows])), figure(median([b for _, b in rows])),
             spread([a / b for a, b in rows])] for name, rows in large["loads"].items()]
    words = ("Made through the store. The clients of a load have 64 accounts of their own beside those, so these figures are "
             "about the tables; what caches that miss cost stands under \"executing, at random places\" below.")
    return (["## A large state (`smspd --data`)", "", words, ""] + table(["requests/s", small, big, "time ÷ (less is better)"], rows) +
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
            f"{about['load_average']:.1f}, at the end {about.get('load_average_end', 0):.1f}; {about.get('minutes', 0):.1f} minutes.")


PLOT = """set terminal svg size {size} font "sans,13" background "white"
set output "{out}"
set key outside right top vertical
set grid
set xlabel "clients"
set logscale x 2
set xrange [1:512]
set style data linespoints
set linetype 1 lc rgb "#7a0fa8" lw 2.5 pt 7 ps 0.6
set linetype 2 lc rgb "#00805a" lw 2 pt 5 ps 0.6
set linetype 3 lc rgb "#2a7fc4" lw 2 pt 9 ps 0.7
set linetype 4 lc rgb "#7a0fa8" lw 2.5 pt 6 ps 0.8 dt 2
set linetype 5 lc rgb "#00805a" lw 2 pt 4 ps 0.8 dt 2
set linetype 6 lc rgb "#2a7fc4" lw 2 pt 8 ps 0.8 dt 2
set linetype 7 lc rgb "#c05a00" lw 2 pt 11 ps 0.7
set linetype 8 lc rgb "#404040" lw 2 pt 1 ps 0.8
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
    script = PLOT.format(out="growth.svg", size="860,420") + """set ylabel "thousand requests/s"
set y2label "% of a processor"
set y2tics
set yrange [0:*]
set y2range [0:100]
set ytics nomirror
set title "smspd --memory, one request at a time: throughput and the keeper's share"
plot "growth.dat" using 1:2 lt 1 title "requests/s", "" using 1:3 axes x1y2 lt 7 title "keeper, %"
"""
    plot(out, script, {"growth.dat": rows})


def plot_clients(grid, out):
    """Two panels: one request at a time, and 64 deep."""
    data = {}
    panels = []
    for depth in (1, 64):
        lines = []
        for server in grid.servers:
            number = ORDER.index(server) + 1  # the same line in both panels
            rows = [(clients, median(grid.rates(server, (clients, d, size))) / 1000)
                    for clients, d, size in grid.cells if d == depth and size == 64 and grid.rates(server, (clients, d, size))]
            if len(rows) > 1:
                name = f"{depth}-{number}.dat"
                data[name] = rows
                lines.append(f'"{name}" lt {number} title "{server}"')
        if lines:
            panels.append(f'set title "{depth} deep, 64 bytes"\nplot ' + ", ".join(lines) + "\n")
    if panels:
        script = PLOT.format(out="clients.svg", size="860,840")
        script += 'set ylabel "thousand requests/s"\nset logscale y\nset multiplot layout 2,1\n'
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
        lines.append("- **The load average was over 2 at the beginning**: other work was going on, or had just ended. If it "
                     "went on, ratios between servers are coarse, as their spread tells, and rates are low.")
    named = found.get("servers_about") or found["engine_about"]
    lines += [f"- smspd {named['smspd']} ({named['parts']}), Redis {named['redis']}, beanstalkd {named['beanstalkd']}, "
              f"re2c {named['re2c']}.", "",
              "## What it must reach", "", "Ratios are taken round by round; shown are the median and, in brackets, the "
              "least and the most. The median is what is judged.", ""]
    goals = all_goals(grid, servers, engine)
    lines += table(["what", "asked for", "proud of", "measured", ""], [goal.row() for goal in goals])
    lines += [summary(goals), ""]
    if servers:
        lines += grid_part(grid) + server_part(servers)
        plot_growth(servers, out)
        plot_clients(grid, out)
    if engine:
        lines += engine_part(engine)
    with open(os.path.join(out, "RESULTS.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines).rstrip() + "\n")
