# SPDX-License-Identifier: ISC
"""The results as self-contained pages: score, diagnosis and faults first, then a row for each case.

No script and nothing from elsewhere: a cell is a link to its transcript, which CSS shows while it is the page's target.
Several servers get a matrix (report_matrix), and a page each.
"""
import html
import os
import re

from .report_text import BAD, consequences, faults_of, score, tally

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.css")
GROUPS = ("form", "register", "login", "logout", "session", "message", "store", "count", "getmsg", "delmsg", "dump",
          "request", "wire", "client")
ABOUT = {
    "form": "The form of each reply",
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
    "BLOCKED": "what the case needs first does not work: it waits for a fault that is named",
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


def scores(report):
    """The score of each level, and the shares of the verdicts."""
    lines = [f'<p class="score">{esc(score(report, "MUST"))}</p>\n{bar(report["summary"])}<p>{esc(score(report, "SHOULD"))}</p>']
    counts = tally(report["cases"], "CHOICE")
    lines.append(f"<p>CHOICE {counts['passed']} as PROTOCOL.md chose, {counts['differs']} otherwise, which the document "
                 "allows</p>")
    return '<section id="score">\n' + "\n".join(lines) + "\n</section>\n"


def diagnosis(report):
    lines = report.get("diagnosis", {}).get("lines", [])
    told = "".join(f"<li>{esc(line)}</li>" for line in lines)
    return f'<section id="diagnosis">\n<h2>How this server speaks</h2>\n<ul>{told}</ul>\n</section>\n' if lines else ""


def fault(record, number, known):
    """One fault: its rule, its sentence, what was sent, came and was expected."""
    pairs = [("sent", f"<code>{'<br>'.join(esc(text) for text in record['sent'])}</code>" if record["sent"] else ""),
             ("came", f"<code>{esc(record['came'])}</code>"), ("expected", f"<code>{esc(record['expected'])}</code>"),
             ("repeat", f"<code>{esc(record['again'])}</code>" if record["again"] else "")]
    told = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in pairs if text)
    case = f' · <a href="#{esc(record["case"])}">{esc(record["case"])}</a>' if record["case"] in known else ""
    quote = f"<q>{prose(record['sentence'])}</q>" if record["sentence"] else ""
    return (f'<article class="fault" id="fault.{number}"><h3><b>{number}.</b> {esc(record["title"])}</h3>'
            f'<p class="meta">{esc(record["level"])} {esc(record["rule"])}{case}{" · " if consequences(record) else ""}'
            f"{esc(consequences(record))}</p>{quote}<dl>{told}</dl></article>")


def faults(report):
    known = {case["id"] for case in report["cases"]}
    mine = faults_of(report, "MUST") + faults_of(report, "SHOULD")
    told = "\n".join(fault(record, number, known) for number, record in enumerate(mine, 1))
    return f'<section id="faults">\n<h2>Faults</h2>\n{told or "<p>No MUST and no SHOULD case failed.</p>"}\n</section>\n'


def how_asked(report):
    server, run = report["server"], report["run"]
    style = f'{ENDS.get(server["framing"], server["framing"])}, {CONNECTIONS.get(server["connection"], "")}'
    return (f'<p class="how">{esc(server["name"])}: {esc(style)}; judged at {esc(run["level"].upper())}; delivered '
            f'{esc(", ".join(run["deliveries"]))}; {esc(run["started"].replace("T", " ").replace("Z", " UTC"))}, '
            f'{run["seconds"]:.0f} s, suite version {esc(report["suite"]["version"])}</p>\n')


def legend():
    told = "".join(f'<div><dt><span class="verdict {css_class(verdict)}">{verdict}</span></dt><dd>{meaning}</dd></div>'
                   for verdict, meaning in MEANINGS.items())
    return (f'<dl class="legend">{told}</dl>\n<p class="hint">Choose a verdict to read its transcript.</p>\n'
            '<p class="filter"><label><input type="checkbox" id="only"> Show only what failed or waits</label></p>\n')


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
        counts = tally([records[number] for _, records in rows if records[number]])
        differs = f", {counts['differs']} otherwise" if counts["differs"] else ""
        told = f"{counts['passed']} of {counts['judged']}{differs}" if counts["judged"] or differs else "none ran"
        cells.append(f'<td data-server="{esc(report["server"]["name"])}">{told}</td>')
    return f'<tr class="group"><th scope="rowgroup">{esc(ABOUT.get(group, group))}</th>{"".join(cells)}</tr>'


def case_row(case, records, reports):
    passed = not any(record and record["verdict"] in (*BAD, "BLOCKED") for record in records)
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


def page(report):
    """The page of one server."""
    groups = by_group([report])
    return (head([report]) + scores(report) + diagnosis(report) + faults(report) + "<h2>All cases</h2>\n" + legend() +
            contents(groups) + matrix([report], groups) + how_asked(report) + "</body>\n</html>\n")


def save(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write(path, reports, folder=None):
    """One server: a page. Several: a matrix, and a page of each in folder (default: FILE-pages)."""
    if len(reports) == 1 and not folder:
        save(path, page(reports[0]))
        return
    from . import report_matrix  # it uses this module
    folder = folder or os.path.splitext(path)[0] + "-pages"
    os.makedirs(folder, exist_ok=True)
    links = []
    for report, name in zip(reports, report_matrix.file_names(reports)):
        save(os.path.join(folder, name), page(report))
        links.append(os.path.relpath(os.path.join(folder, name), os.path.dirname(os.path.abspath(path))))
    save(path, report_matrix.page(reports, links))
