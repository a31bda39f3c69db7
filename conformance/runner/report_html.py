"""The results as one self-contained page: a row for each case, a column for each server.

No script and nothing from elsewhere: a cell is a link to its transcript, which
CSS shows while it is the page's target.
"""
import html
import os

STYLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "report.css")
GROUPS = ("register", "login", "logout", "session", "message", "store", "count", "getmsg", "delmsg", "dump",
          "request", "wire", "client")
ABOUT = {
    "register": "REGISTER", "login": "LOGIN", "logout": "LOGOUT", "session": "Sessions and cookies", "message": "MESSAGE",
    "store": "STORE", "count": "COUNT", "getmsg": "GETMSG", "delmsg": "DELMSG", "dump": "DUMP",
    "request": "Requests in general", "wire": "The wire", "client": "The client smsp",
}


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


def head(reports):
    names = ", ".join(report["server"]["name"] for report in reports)
    with open(STYLE, encoding="utf-8") as file:
        style = file.read()
    return (f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>Mail server protocol: conformance of {esc(names)}</title>\n<style>\n{style}</style>\n</head>\n"
            f"<body>\n<h1>Conformance to the Simple Mail Server Protocol</h1>\n")


def summary_table(reports):
    lines = ['<table class="summary">\n<caption>Servers</caption>\n<thead><tr><th scope="col">Server</th>'
             '<th scope="col">Speaks</th><th scope="col">Judged at</th><th scope="col">Verdicts</th>'
             '<th scope="col">When</th></tr></thead>\n<tbody>']
    for report in reports:
        server, run = report["server"], report["run"]
        counts = " ".join(f'<span class="{css_class(verdict)}">{count} {esc(verdict)}</span>'
                          for verdict, count in report["summary"].items() if count)
        lines.append(f'<tr><th scope="row">{esc(server["name"])}</th><td>{esc(server["framing"])}, '
                     f'{esc(server["connection"])}</td><td>{esc(run["level"].upper())}, {esc(", ".join(run["deliveries"]))}'
                     f'</td><td>{counts}</td><td>{esc(run["started"])}, {run["seconds"]:.0f} s, '
                     f'suite {esc(report["suite"]["version"])}</td></tr>')
    return "\n".join(lines) + "\n</tbody>\n</table>\n"


LEGEND = """<p>PASS: as the rule says. FAIL: not so. DIFFERS: the document is silent or ambiguous, and this server
answers in another way than <em>PROTOCOL.md</em> chose; that is no fault. ERROR: the server died, hung or could not
start. NOT RUN: this case cannot be tried on this server. XFAIL: a failure that was expected, XPASS: one that did not
come. Choose a verdict to read its transcript.</p>
<p class="filter"><label><input type="checkbox" id="only"> Show only what did not pass everywhere</label></p>
"""


def matrix(reports):
    columns = "".join(f'<th scope="col">{esc(report["server"]["name"])}</th>' for report in reports)
    lines = [f'<table class="matrix">\n<caption>Cases</caption>\n<thead><tr><th scope="col">Case</th>{columns}'
             f"</tr></thead>"]
    group = None
    for case, records in merged(reports):
        if case["group"] != group:
            if group is not None:
                lines.append("</tbody>")
            group = case["group"]
            lines.append(f'<tbody id="{esc(group)}">\n<tr class="group"><th colspan="{len(reports) + 1}" scope="rowgroup">'
                         f"{esc(ABOUT.get(group, group))}</th></tr>")
        lines.append(case_row(case, records, reports))
    return "\n".join(lines) + ("\n</tbody>" if group is not None else "") + "\n</table>\n"


def case_row(case, records, reports):
    passed = all(record and record["verdict"] == "PASS" for record in records)
    cells = "".join(cell(record, number, reports[number]["server"]["name"]) for number, record in enumerate(records))
    row = (f'<tr id="{esc(case["id"])}" class="case{" passed" if passed else ""}"><th scope="row">'
           f'<span class="title">{esc(case["title"])}</span> <span class="meta"><b class="level">{esc(case["level"])}</b> '
           f'{esc(" ".join(case["rules"]))} · {esc(case["id"])}</span>'
           f'<q class="sentence">{esc(case["sentence"])}</q></th>{cells}</tr>')
    details = [detail(record, number, reports) for number, record in enumerate(records) if record]
    return "\n".join([row] + details)


def cell(record, number, server):
    if not record:
        return f'<td data-server="{esc(server)}"><span class="absent">absent</span></td>'
    return (f'<td data-server="{esc(server)}"><a class="verdict {css_class(record["verdict"])}" '
            f'href="#{esc(record["id"])}.{number}">{esc(record["verdict"])}</a></td>')


def detail(record, number, reports):
    """The row below a case that shows one server's transcript while it is the target."""
    told = [f'<p><b>{esc(reports[number]["server"]["name"])}: {esc(record["verdict"])}</b> {esc(record["message"])} '
            f'<a class="close" href="#{esc(record["id"])}">close</a></p>']
    if record["expected"] is not None:
        told.append(f'<p>expected <code>{esc(record["expected"])}</code>, got <code>{esc(record["actual"])}</code></p>')
    played = ", ".join(f'{delivery["name"] or "case"} {delivery["verdict"]}' for delivery in record["deliveries"])
    told.append(f"<p>{esc(played)}</p>")
    transcript = "\n".join(esc(entry["text"]) for entry in record["transcript"])
    told.append(f"<pre>{transcript or 'nothing was sent'}</pre><p>again: <code>{esc(record['again'])}</code></p>")
    return (f'<tr class="detail" id="{esc(record["id"])}.{number}"><td colspan="{len(reports) + 1}">'
            f"{''.join(told)}</td></tr>")


def page(reports):
    return head(reports) + summary_table(reports) + LEGEND + matrix(reports) + "</body>\n</html>\n"


def write(path, reports):
    with open(path, "w", encoding="utf-8") as file:
        file.write(page(reports))
