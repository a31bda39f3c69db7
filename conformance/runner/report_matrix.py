# SPDX-License-Identifier: ISC
"""Many servers on one page: scores of each server and command, then the matrix of cases; details are in their pages."""
import re
import urllib.parse

from .faults import COMMANDS
from .report_html import ABOUT, by_group, css_class, esc, head
from .report_text import BAD, faults_of, tally

SIGNS = {"PASS": "✓", "FAIL": "✗", "ERROR": "!", "DIFFERS": "≈", "BLOCKED": "…", "NOT RUN": "–", "XFAIL": "x", "XPASS": "✗"}
WORDS = {"PASS": "passed", "FAIL": "failed", "ERROR": "died or hung", "DIFFERS": "another answer, allowed",
         "BLOCKED": "waits for a fault", "NOT RUN": "not run"}


def file_names(reports):
    """A file for each server, no two alike, none of them the matrix itself."""
    names, taken = [], {"index.html"}
    for report in reports:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", report["server"]["name"])[:60].strip(".-") or "server"
        name, number = f"{stem}.html", 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}.html"
        taken.add(name.lower())
        names.append(name)
    return names


def merit(report):
    """The best first."""
    counts = tally(report["cases"], "MUST")
    return -counts["passed"] / max(counts["judged"], 1), len(faults_of(report, "MUST")), report["server"]["name"]


def of_command(report, command):
    """`7/9` of the MUST cases about a command."""
    prefix = next(key for key, name in COMMANDS.items() if name == command)
    counts = tally([case for case in report["cases"] if case["rules"][0].startswith(prefix)], "MUST")
    if not counts["judged"]:
        return '<td class="number">–</td>'
    whole = " whole" if counts["passed"] == counts["judged"] else ""
    return f'<td class="number{whole}">{counts["passed"]}/{counts["judged"]}</td>'


def score_table(reports, links):
    columns = "".join(f'<th scope="col">{command}</th>' for command in COMMANDS.values())
    lines = ['<table class="scores">\n<caption>Servers, by MUST cases passed</caption>\n<thead><tr><th scope="col">Server</th>'
             f'<th scope="col">MUST</th><th scope="col">Faults</th>{columns}<th scope="col">First fault</th></tr></thead>\n<tbody>']
    for number, (report, link) in enumerate(zip(reports, links), 1):
        counts, faults = tally(report["cases"], "MUST"), faults_of(report, "MUST")
        first = faults[0]["title"] if faults else "" if report["cases"] else report["diagnosis"]["lines"][0]
        lines.append(f'<tr><th scope="row">{number}. <a href="{esc(urllib.parse.quote(link))}">{esc(report["server"]["name"])}</a></th>'
                     f'<td class="number">{counts["passed"]}/{counts["judged"]}</td><td class="number">{len(faults)}</td>'
                     f'{"".join(of_command(report, command) for command in COMMANDS.values())}<td class="first">{esc(first)}</td></tr>')
    return "\n".join(lines) + "\n</tbody>\n</table>\n"


def legend():
    told = " ".join(f'<span><b class="sign {css_class(verdict)}">{SIGNS[verdict]}</b> {meaning}</span>'
                    for verdict, meaning in WORDS.items())
    return (f'<p class="signs">{told}</p>\n<p class="filter"><label><input type="checkbox" id="only"> Show only cases that some '
            "server fails or waits for</label></p>\n")


def cell(record, link, name):
    if not record:
        return '<td class="sign absent"></td>'
    verdict = record["verdict"]
    sign = f'<span title="{esc(name)}: {verdict}">{SIGNS[verdict]}</span>'
    if verdict in (*BAD, "BLOCKED", "DIFFERS", "XFAIL"):
        sign = f'<a href="{esc(urllib.parse.quote(link))}#{esc(record["id"])}" title="{esc(name)}: {verdict}">{SIGNS[verdict]}</a>'
    return f'<td class="sign {css_class(verdict)}">{sign}</td>'


def case_row(case, records, links, reports):
    bad = any(record and record["verdict"] in (*BAD, "BLOCKED") for record in records)
    cells = "".join(cell(record, link, report["server"]["name"]) for record, link, report in zip(records, links, reports))
    return (f'<tr class="case{"" if bad else " passed"}"><th scope="row" title="{esc(case["title"])}"><span>{esc(case["id"])}</span> '
            f'<small>{esc(case["level"])}</small></th>{cells}</tr>')


def case_table(reports, links):
    columns = "".join(f'<th scope="col"><a href="{esc(urllib.parse.quote(link))}"><span>{esc(report["server"]["name"])}</span></a></th>'
                      for report, link in zip(reports, links))
    lines = [f'<table class="many">\n<caption>Cases</caption>\n<thead><tr><th scope="col">Case</th>{columns}</tr></thead>']
    for group, rows in by_group(reports):
        counts = [tally([records[number] for _, records in rows if records[number]]) for number in range(len(reports))]
        cells = "".join(f'<td class="number">{count["passed"]}<br>{count["judged"]}</td>' for count in counts)
        lines.append(f'<tbody id="{esc(group)}">\n<tr class="group"><th scope="rowgroup">{esc(ABOUT.get(group, group))} '
                     f"<small>passed, judged</small></th>{cells}</tr>")
        lines += [case_row(case, records, links, reports) for case, records in rows]
        lines.append("</tbody>")
    return "\n".join(lines) + "\n</table>\n"


def page(reports, links):
    pairs = sorted(zip(reports, links), key=lambda pair: merit(pair[0]))
    reports, links = [report for report, _ in pairs], [link for _, link in pairs]
    return (head(reports).replace("<body>", '<body class="class">', 1) + score_table(reports, links) + legend() +
            case_table(reports, links) + "</body>\n</html>\n")
