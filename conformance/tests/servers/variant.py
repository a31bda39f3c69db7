#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""variant.py HOST PORT [SWITCH...]: a server that obeys the document, plus one habit or fault for each switch.

How real servers differ, in one file, to try a conformance suite on. Without a switch it is right.

wire:    nul        requests end with NUL            recv       one recv is one request
         replynul, replycrlf, replynone              how replies end (LF otherwise)
         greet      a line when a client connects    prompt     "> " after each reply
         each       closes after every reply         iterative  one client at a time
         fragile    the process ends when a client connects and leaves without a word
         fixedport  listens on 5555, whatever PORT says
form:    regbug     OK. <cookie>                     bare       the cookie alone
         loginword  LOGIN SUCCESS <cookie>           countbug   Count: <n>
         unknownerr ERROR unknown command            ko         KO for an unknown cookie
         cookie3    three digits for a cookie
faults:  nologout   LOGOUT gets no answer            logoutcrash LOGOUT ends the connection
         getpops    GETMSG removes the message       fifo       STORE takes the oldest
         emptystore STORE on an empty IMQ ends the process
         delnewest  DELMSG removes the newest message
         stays      LOGOUT says OK and leaves the session
         countzero  COUNT of an unknown user is 0
         oldcookie  LOGIN leaves the old cookie valid
         dumpko     DUMP is answered KO
         crash      a request with too few parts ends the connection
other:   persist    accounts and mailboxes in state.json of the current folder
"""
import json
import os
import secrets
import socket
import sys
import threading
import traceback

HOST, PORT, SWITCHES = sys.argv[1], int(sys.argv[2]), set(sys.argv[3:])
LOG_IN = "You should log in first."
IMQ, MBX, RA, ID, AC = [], {}, {}, {}, []
OLD = {}  # cookies that should be gone
LOCK = threading.Lock()


def on(name):
    return name in SWITCHES


class Silent(Exception):
    """No reply."""


class Close(Exception):
    """No reply, and the connection ends."""


def new_cookie(user):
    while True:
        cookie = str(100 + secrets.randbelow(900)) if on("cookie3") else secrets.token_hex(16)
        if cookie not in AC:
            break
    if ID.get(user) in AC and not on("oldcookie"):
        AC.remove(ID[user])
    elif user in ID:
        OLD[ID[user]] = user
    ID[user] = cookie
    AC.append(cookie)
    return cookie


def user_of(cookie):
    return next((user for user, known in ID.items() if known == cookie), OLD.get(cookie))


def session(cookie):
    """None if the cookie is known, otherwise the reply."""
    return None if user_of(cookie) else ("KO" if on("ko") else LOG_IN)


def register(words):
    user, password = words[1], words[2]
    if user in RA:
        return "KO"
    RA[user], MBX[user] = password, []
    cookie = new_cookie(user)
    return f"OK. {cookie}" if on("regbug") else cookie if on("bare") else f"OK {cookie}"


def login(words):
    user, password = words[1], words[2]
    if RA.get(user) != password:
        return "KO"
    cookie = new_cookie(user)
    return f"LOGIN SUCCESS {cookie}" if on("loginword") else cookie if on("bare") else f"OK {cookie}"


def logout(request):
    if on("nologout"):
        raise Silent
    if on("logoutcrash"):
        raise Close
    user = user_of(request[len("LOGOUT "):])
    if user is None:
        return "KO"
    if not on("stays"):
        AC.remove(ID.pop(user))
    return "OK"


def message(request):
    content, cookie = request[len("MESSAGE "):].rsplit(" ", 1)
    refused = session(cookie)
    if refused:
        return refused
    IMQ.append(content)
    return "OK"


def store(user):
    if on("emptystore") and not IMQ:
        traceback.print_exception(IndexError("pop from empty list"))
        sys.stderr.flush()
        os._exit(1)
    if user not in MBX or not IMQ:
        return "KO"
    MBX[user].append(IMQ.pop(0 if on("fifo") else -1))
    return "OK"


def mailbox(verb, user):
    if user not in MBX:
        return "COUNTED 0" if verb == "COUNT" and on("countzero") else "KO"
    if verb == "COUNT":
        return ("Count: %d" if on("countbug") else "COUNTED %d") % len(MBX[user])
    if not MBX[user]:
        return "KO"
    if verb == "GETMSG":
        return MBX[user].pop(0) if on("getpops") else MBX[user][0]
    MBX[user].pop(-1 if on("delnewest") else 0)
    return "OK"


def answer(request):
    words = request.split(" ")
    verb = words[0]
    if verb == "REGISTER":
        return register(words)
    if verb == "LOGIN":
        return login(words)
    if verb == "LOGOUT":
        return logout(request)
    if verb == "MESSAGE":
        return message(request)
    if verb in ("STORE", "COUNT", "GETMSG", "DELMSG"):
        user, cookie = words[1], words[2]
        return session(cookie) or (store(user) if verb == "STORE" else mailbox(verb, user))
    if verb == "DUMP":
        print("IMQ", IMQ, "MBX", MBX, flush=True)
        return "KO" if on("dumpko") else "OK"
    return "ERROR unknown command" if on("unknownerr") else "KO"


def reply_to(request):
    with LOCK:
        try:
            reply = answer(request)
        except (IndexError, ValueError):
            if on("crash"):
                raise Close from None
            reply = "KO"
        if on("persist"):
            with open("state.json", "w", encoding="utf-8") as file:
                json.dump([RA, MBX], file)
        return reply


def requests_of(client):
    end, pending = b"\0" if on("nul") else b"\n", b""
    while True:
        data = client.recv(65536)
        if not data:
            return
        if on("recv"):
            yield data.strip(b"\r\n\0")
            continue
        *whole, pending = (pending + data).split(end)
        yield from (one.rstrip(b"\r") for one in whole)


def serve(client):
    end = b"" if on("replynone") else b"\r\n" if on("replycrlf") else b"\0" if on("replynul") else b"\n"
    spoke = False
    try:
        if on("greet"):
            client.sendall(b"Welcome to the mail server\n")
        for request in requests_of(client):
            spoke = True
            try:
                reply = reply_to(request.decode("utf-8", "surrogateescape"))
                client.sendall(reply.encode("utf-8", "surrogateescape") + end)
            except Silent:
                pass
            if on("prompt"):
                client.sendall(b"> ")
            if on("each"):
                return
    except (Close, OSError):
        pass
    finally:
        client.close()
        if on("fragile") and not spoke:
            traceback.print_exception(ConnectionError("the client said nothing"))
            sys.stderr.flush()
            os._exit(1)


if on("persist") and os.path.exists("state.json"):
    with open("state.json", encoding="utf-8") as saved:
        RA, MBX = json.load(saved)
listener = socket.create_server((HOST, 5555 if on("fixedport") else PORT), backlog=50)
while True:
    connection, _ = listener.accept()
    if on("iterative"):
        serve(connection)
    else:
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
