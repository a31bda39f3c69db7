# SPDX-License-Identifier: ISC
"""The results as one self-contained page: a row for each case, a column for each server.

No script and nothing from elsewhere: a cell is a link to its transcript, which
CSS shows while it is the page's target.
"""
import html
import os
import re

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.css")
GROUPS = ("register", "login", "logout", "session", "message", "store", "count", "getmsg", "delmsg", "dump",
          "request", "wire", "client")
ABOUT = {
    "register": "REGISTER", "login": "LOGIN", "logout": "LOGOUT", "session": "Sessions and cookies", "message": "MESSAGE",
    "store": "STORE", "count": "COUNT", "getmsg": "GETMSG", "delmsg": "DELMSG", "dump": "DUMP",
    "request": "Requests in general", "wire": "The wire", "client": "The client smsp",
}
ENDS = {"lf": "requests end with LF", "crlf": "requests end with CR LF", "nul": "requests end with NUL",
        "none": "requests have no end"}
CONNECTIONS = {"keep": "one connection for many", "each": "a connection for each"}
MEANINGS = {
    "PASS": "as the rule says",
    "FAIL": "not so",
    "ERROR": "the server died, hung or could not start",
    "DIFFERS": "the document is silent or ambiguous, and this server answers otherwise than <em>PROTOCOL.md</em> chose; "
               "that is no fault",
    "XFAIL": "a failure that was expected",
    "XPASS": "an expected failure that did not come",
    "NOT RUN": "this cannot be tried on this server",
}
CODE = re.compile("`([^`]+)`")


def esc(text):
    return html.escape(str(text), quote=True)


def css_class(verdict):
    return verdict.lower().replace(" ", "-")


def merged(reports):
    """[(case, [its record of each server or None])] by group; the newest wording of a case counts."""
    rows = {}
    for number, report in enumerate(reports):
        for case in report["cases"]:
            row = rows.setdefault(case["id"], [None] * len(reports))
            row[number] = case
    def place(records):
        group = next(record for record in records if record)["group"]
        return GROUPS.index(group) if group in GROUPS else len(GROUPS)
    ordered = sorted(rows.values(), key=place)
    return [(next(record for record in records if record), records) for records in ordered]


def prose(text):
    """A sentence of PROTOCOL.md, whose `words` are code."""
    return CODE.sub(r"<code>\1</code>", esc(text))


def head(reports):
    names = ", ".join(report["server"]["name"] for report in reports)
    with open(STYLE, encoding="utf-8") as file:
        style = file.read()
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Mail server protocol: conformance of {esc(names)}</title>\n<style>\n{style}</style>\n</head>\n"
            f"<body>\n<h1>Conformance to the Simple Mail Server Protocol</h1>\n")


def counted(summary):
    """(verdict, count) of those that occur, the worst after the best."""
    return [(verdict, summary[verdict]) for verdict in MEANINGS if summary.get(verdict)]


def bar(summary):
    """The shares of the verdicts as a strip of colours; the numbers stand below it."""
    total = sum(summary.values()) or 1
    return '<div class="bar" aria-hidden="true">' + "".join(
        f'<i class="{css_class(verdict)}" style="width:{100 * count / total:.2f}%"></i>'
        for verdict, count in counted(summary)) + "</div>"


def summary_table(reports):
    lines = ['<table class="summary">\n<caption>Servers</caption>\n<thead><tr><th scope="col">Server</th>'
             '<th scope="col">Verdicts</th><th scope="col">How it was asked</th></tr></thead>\n<tbody>']
    for report in reports:
        server, run = report["server"], report["run"]
        counts = " ".join(f'<span class="verdict {css_class(verdict)}">{count} {esc(verdict)}</span>'
                          for verdict, count in counted(report["summary"]))
        style = f'{ENDS.get(server["framing"], server["framing"])}, {CONNECTIONS.get(server["connection"], "")}'
        lines.append(f'<tr><th scope="row">{esc(server["name"])}</th><td>{bar(report["summary"])}{counts}</td>'
                     f'<td class="how">{esc(style)}; judged at {esc(run["level"].upper())}; delivered '
                     f'{esc(", ".join(run["deliveries"]))}<br>{esc(run["started"].replace("T", " ").replace("Z", " UTC"))}, '
                     f'{run["seconds"]:.0f} s, suite version {esc(report["suite"]["version"])}</td></tr>')
    return "\n".join(lines) + "\n</tbody>\n</table>\n"


def legend():
    told = "".join(f'<div><dt><span class="verdict {css_class(verdict)}">{verdict}</span></dt><dd>{meaning}</dd></div>'
                   for verdict, meaning in MEANINGS.items())
    return (f'<dl class="legend">{told}</dl>\n<p class="hint">Choose a verdict to read its transcript.</p>\n'
            '<p class="filter"><label><input type="checkbox" id="only"> Show only what did not pass everywhere</label></p>\n')


def by_group(reports):
    """[(group, [(case, its record of each server)])]"""
    groups = {}
    for case, records in merged(reports):
        groups.setdefault(case["group"], []).append((case, records))
    return list(groups.items())


def contents(groups):
    links = "".join(f'<a href="#{esc(group)}">{esc(ABOUT.get(group, group))} <small>{len(rows)}</small></a> '
                    for group, rows in groups)
    return f'<nav aria-label="Groups of cases">{links}</nav>\n'


def matrix(reports, groups):
    columns = "".join(f'<th scope="col">{esc(report["server"]["name"])}</th>' for report in reports)
    lines = [f'<table class="matrix">\n<caption>Cases</caption>\n<thead><tr><th scope="col">Case</th>{columns}'
             f"</tr></thead>"]
    for group, rows in groups:
        lines.append(f'<tbody id="{esc(group)}">\n{group_row(group, rows, reports)}')
        lines += [case_row(case, records, reports) for case, records in rows]
        lines.append("</tbody>")
    return "\n".join(lines) + "\n</table>\n"


def group_row(group, rows, reports):
    """The group's name, and how many of its cases that ran each server passed."""
    cells = []
    for number, report in enumerate(reports):
        ran = [records[number] for _, records in rows if records[number] and records[number]["verdict"] != "NOT RUN"]
        passed = sum(record["verdict"] == "PASS" for record in ran)
        cells.append(f'<td data-server="{esc(report["server"]["name"])}">'
                     f'{f"{passed} of {len(ran)}" if ran else "none ran"}</td>')
    return f'<tr class="group"><th scope="rowgroup">{esc(ABOUT.get(group, group))}</th>{"".join(cells)}</tr>'


def case_row(case, records, reports):
    passed = all(record and record["verdict"] == "PASS" for record in records)
    cells = "".join(cell(record, number, reports[number]["server"]["name"]) for number, record in enumerate(records))
    row = (f'<tr id="{esc(case["id"])}" class="case{" passed" if passed else ""}"><th scope="row">'
           f'<span class="title">{esc(case["title"])}</span> <span class="meta"><b class="level">{esc(case["level"])}</b> '
           f'{esc(" ".join(case["rules"]))} · {esc(case["id"])}</span>'
           f'<q class="sentence">{prose(case["sentence"])}</q></th>{cells}</tr>')
    details = [detail(record, number, reports) for number, record in enumerate(records) if record]
    return "\n".join([row] + details)


def cell(record, number, server):
    if not record:
        return f'<td data-server="{esc(server)}"><span class="absent">absent</span></td>'
    return (f'<td data-server="{esc(server)}"><a class="verdict {css_class(record["verdict"])}" '
            f'href="#{esc(record["id"])}.{number}">{esc(record["verdict"])}</a></td>')


def detail(record, number, reports):
    """The row below a case that shows one server's transcript while it is the target."""
    told = [f'<a class="close" href="#{esc(record["id"])}">close</a><p><b>{esc(reports[number]["server"]["name"])}</b> '
            f'<span class="verdict {css_class(record["verdict"])}">{esc(record["verdict"])}</span></p>']
    if record["expected"] is not None:
        told.append(f'<dl><dt>expected</dt><dd><code>{esc(record["expected"])}</code></dd>'
                    f'<dt>got</dt><dd><code>{esc(record["actual"])}</code></dd></dl>')
    elif record["message"]:
        told.append(f'<p>{esc(record["message"])}</p>')
    transcript = "\n".join(esc(entry["text"]) for entry in record["transcript"])
    played = ", ".join(f'{delivery["name"] or "case"} {delivery["verdict"]}' for delivery in record["deliveries"])
    told.append(f"<pre>{transcript or 'nothing was sent'}</pre><dl><dt>deliveries</dt><dd>{esc(played)}</dd>"
                f"<dt>again</dt><dd><code>{esc(record['again'])}</code></dd></dl>")
    return (f'<tr class="detail" id="{esc(record["id"])}.{number}"><td colspan="{len(reports) + 1}">'
            f"{''.join(told)}</td></tr>")


def page(reports):
    groups = by_group(reports)
    return (head(reports) + summary_table(reports) + legend() + contents(groups) + matrix(reports, groups) +
            "</body>\n</html>\n")


def write(path, reports):
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(reports))
