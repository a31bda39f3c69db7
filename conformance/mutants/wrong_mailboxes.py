# SPDX-License-Identifier: ISC
"""Wrong in GETMSG, DELMSG and DUMP."""
import threading
import time

from base import CHOICE, KO, LOG_IN, MUST, OK, SHOULD, Mail, Server, Unknown

# ---- GETMSG


@MUST
class GetmsgRemoves(Mail):
    """GETMSG removes the message."""

    def getmsg(self, user, owner):
        reply = super().getmsg(user, owner)
        if owner in self.MBX:
            del self.MBX[owner][:1]
        return reply


@MUST
class GetmsgNewest(Mail):
    """GETMSG gives the newest message."""

    def getmsg(self, user, owner):
        return self.MBX[owner][-1] if self.may_open(user, owner) else KO


@MUST
class GetmsgTurnsQueue(Mail):
    """GETMSG moves the message to the end of the mailbox."""

    def getmsg(self, user, owner):
        reply = super().getmsg(user, owner)
        if self.may_open(user, owner):
            self.MBX[owner].append(self.MBX[owner].pop(0))
        return reply


@MUST
class GetmsgNothingIsEmpty(Mail):
    """GETMSG from an empty mailbox is answered with an empty line."""

    def getmsg(self, user, owner):
        return b"" if self.MBX.get(owner) == [] else super().getmsg(user, owner)


@MUST
class GetmsgUnknownIsEmpty(Mail):
    """GETMSG of an unknown user is answered with an empty line."""

    def getmsg(self, user, owner):
        return super().getmsg(user, owner) if owner in self.RA else b""


@MUST
class GetmsgFromImq(Mail):
    """GETMSG from an empty mailbox looks on the IMQ."""

    def getmsg(self, user, owner):
        waiting = [text for sender, text in self.IMQ if sender == user]
        return waiting[-1] if waiting and self.MBX.get(owner) == [] else super().getmsg(user, owner)


@MUST
class GetmsgWithOk(Mail):
    """GETMSG puts OK before the message."""

    def getmsg(self, user, owner):
        reply = super().getmsg(user, owner)
        return reply if reply == KO else b"OK " + reply


@MUST
class GetmsgFirstMailbox(Mail):
    """GETMSG looks into the first mailbox that holds something."""

    def getmsg(self, user, owner):
        reply = super().getmsg(user, owner)
        return reply if reply == KO else next(box[0] for box in self.MBX.values() if box)


@CHOICE
class GetmsgAnybodys(Mail):
    """Any session may read any mailbox."""

    def getmsg(self, user, owner):
        return self.MBX[owner][0] if self.MBX.get(owner) else KO


@CHOICE
class GetmsgNeverShared(Mail):
    """--shared-mailboxes does nothing."""

    def may_open(self, user, owner):
        return user == owner and super().may_open(user, owner)


@CHOICE
class GetmsgUnknownCookieIsKo(Unknown):
    """GETMSG with an unknown cookie is answered KO."""

    verb = b"GETMSG"


# ---- DELMSG


@MUST
class DelmsgNewest(Mail):
    """DELMSG removes the newest message."""

    def delmsg(self, user, owner):
        if not self.may_open(user, owner):
            return KO
        self.MBX[owner].pop()
        return OK


@MUST
class DelmsgAll(Mail):
    """DELMSG empties the mailbox."""

    def delmsg(self, user, owner):
        reply = super().delmsg(user, owner)
        if reply == OK:
            self.MBX[owner].clear()
        return reply


@MUST
class DelmsgAllAlike(Mail):
    """DELMSG removes all messages with the same text."""

    def delmsg(self, user, owner):
        text = (self.MBX.get(owner) or [None])[0]
        reply = super().delmsg(user, owner)
        if reply == OK:
            self.MBX[owner] = [other for other in self.MBX[owner] if other != text]
        return reply


@MUST
class DelmsgNothing(Mail):
    """DELMSG is answered OK and removes nothing."""

    def delmsg(self, user, owner):
        return OK if self.may_open(user, owner) else KO


@MUST
class DelmsgShowsText(Mail):
    """DELMSG is answered with the message."""

    def delmsg(self, user, owner):
        text = self.getmsg(user, owner)
        reply = super().delmsg(user, owner)
        return text if reply == OK else reply


@MUST
class DelmsgEmptyOk(Mail):
    """DELMSG from an empty mailbox is answered OK."""

    def delmsg(self, user, owner):
        return OK if self.MBX.get(owner) == [] else super().delmsg(user, owner)


@MUST
class DelmsgUnknownOk(Mail):
    """DELMSG of an unknown user is answered OK."""

    def delmsg(self, user, owner):
        return super().delmsg(user, owner) if owner in self.RA else OK


@MUST
class DelmsgFromImq(Mail):
    """DELMSG from an empty mailbox removes a message from the IMQ."""

    def delmsg(self, user, owner):
        if self.MBX.get(owner) == [] and self.IMQ:
            self.IMQ.pop()
        return super().delmsg(user, owner)


@MUST
class DelmsgEverywhere(Mail):
    """DELMSG removes the first message of every mailbox."""

    def delmsg(self, user, owner):
        reply = super().delmsg(user, owner)
        if reply == OK:
            for other in self.MBX:
                if other != owner:
                    del self.MBX[other][:1]
        return reply


@MUST
class DelmsgClosesMailbox(Mail):
    """DELMSG of the last message removes the mailbox for good."""

    def delmsg(self, user, owner):
        reply = super().delmsg(user, owner)
        self.gone = getattr(self, "gone", set())
        if reply == OK and not self.MBX[owner]:
            self.gone.add(owner)
        return reply

    def store(self, user, recipient):
        return KO if recipient in getattr(self, "gone", ()) else super().store(user, recipient)


@CHOICE
class DelmsgAnybodys(Mail):
    """Any session may remove from any mailbox."""

    def delmsg(self, user, owner):
        return super().delmsg(owner, owner)


@CHOICE
class DelmsgUnknownCookieIsKo(Unknown):
    """DELMSG with an unknown cookie is answered KO."""

    verb = b"DELMSG"


@SHOULD
class DelmsgWithoutLogin(Mail):
    """DELMSG needs no cookie."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        if words[0] == b"DELMSG" and len(words) == 3 and not self.user_of(words[2]):
            return self.delmsg(words[1], words[1])
        return super().answer(line)


@MUST
class DelmsgNotAtomic(Server):
    """Two clients that remove at once remove the same message."""

    def answer_all(self, requests):
        words = (requests[0] or b"").split(b" ") if requests else [b""]
        if words[0] == b"DELMSG" and self.mail.MBX.get(words[1]):
            after = self.mail.MBX[words[1]][1:]
            time.sleep(0.01)
            with self.lock:
                if self.mail.user_of(words[2]) == words[1]:
                    self.mail.MBX[words[1]] = after
                    return [OK]
        return super().answer_all(requests)

# ---- DUMP


class OtherDump(Mail):
    """Changes the lines of the printout."""

    def dump(self):
        return "".join(f"{line}\n" for line in self.lines(super().dump().split("\n")[:-1]))

    def lines(self, lines):
        return lines


@MUST
class DumpPrintsNothing(OtherDump):
    """DUMP prints nothing."""

    def lines(self, lines):
        return []


@MUST
class DumpWithoutMailboxes(OtherDump):
    """DUMP prints the IMQ only."""

    def lines(self, lines):
        return lines[:1 + len(self.IMQ)]


@MUST
class DumpWithoutImq(OtherDump):
    """DUMP prints the mailboxes only."""

    def lines(self, lines):
        return lines[1 + len(self.IMQ):]


@MUST
class DumpRemembers(OtherDump):
    """DUMP prints what was removed, too."""

    def delmsg(self, user, owner):
        self.removed = getattr(self, "removed", [])
        self.removed += [text.decode() for text in self.MBX.get(owner, [])[:1]]
        return super().delmsg(user, owner)

    def lines(self, lines):
        return lines + getattr(self, "removed", [])


@SHOULD
class DumpShowsPasswords(OtherDump):
    """DUMP prints RA with its passwords."""

    def lines(self, lines):
        return lines + [f"RA: {self.RA}"]


@SHOULD
class DumpShowsCookies(OtherDump):
    """DUMP prints ID with its cookies."""

    def lines(self, lines):
        return lines + [f"ID: {self.ID}"]


@MUST
class DumpIsKo(Server):
    """DUMP is answered KO."""

    def answer_all(self, requests):
        replies = super().answer_all(requests)
        return [KO if self.mail.is_dump(line) else reply for line, reply in zip(requests, replies)]


@MUST
class DumpEmptiesImq(OtherDump):
    """DUMP empties the IMQ."""

    def lines(self, lines):
        self.IMQ.clear()
        return lines


@CHOICE
class DumpNeedsCookie(Mail):
    """DUMP without a cookie is answered that one should log in."""

    def is_dump(self, line):
        return super().is_dump(line) and self.user_of(line.split(b" ")[-1]) is not None

    def answer(self, line):
        return LOG_IN if line and line.startswith(b"DUMP") else super().answer(line)


@CHOICE
class DumpAlone(Mail):
    """DUMP with further words is unknown."""

    def is_dump(self, line):
        return line == b"DUMP"


@CHOICE
class DumpSorted(OtherDump):
    """DUMP prints the mailboxes in the order of the alphabet."""

    def dump(self):
        self.MBX = dict(sorted(self.MBX.items()))
        return super().dump()


@CHOICE
class DumpNewestFirst(OtherDump):
    """DUMP prints the IMQ newest first."""

    def lines(self, lines):
        end = 1 + len(self.IMQ)
        return lines[:1] + lines[1:end][::-1] + lines[end:]


@CHOICE
class DumpWithoutCounts(OtherDump):
    """DUMP prints no counts."""

    def lines(self, lines):
        return [line.partition(":")[0] + ":" if line[:3] in ("IMQ", "MBX") else line for line in lines]


@CHOICE
class DumpInAscii(OtherDump):
    """DUMP escapes what is not ASCII."""

    def lines(self, lines):
        return [line.encode("ascii", "backslashreplace").decode() for line in lines]


@CHOICE
class DumpCutOff(OtherDump):
    """DUMP cuts lines at 80 characters."""

    def lines(self, lines):
        return [line[:80] for line in lines]


@CHOICE
class DumpUnindented(OtherDump):
    """DUMP does not indent, so a message can imitate a line."""

    def lines(self, lines):
        return [line.strip() for line in lines]


@CHOICE
class DumpAfterOk(Server):
    """DUMP is printed after its OK, half a second later."""

    def __init__(self, options, mail, out=None):
        super().__init__(options, mail, out)
        self.terminal.show = lambda text: self.terminal.waiting.put((text, self))

    def set(self):
        """What the terminal does when it has printed."""


@CHOICE
class DumpDelaysAll(Server):
    """While DUMP prints, nobody else is served."""

    def __init__(self, options, mail, out=None):
        super().__init__(options, mail, out)
        self.terminal.show = self.show

    def show(self, text):
        printed = threading.Event()
        with self.lock:
            self.terminal.waiting.put((text, printed))
            if not printed.wait(0.2):
                time.sleep(2.5)


@SHOULD
class DumpShowsRequests(Server):
    """Each request is printed on the terminal as it came."""

    def answer_all(self, requests):
        for line in requests:
            self.terminal.show((line or b"").decode("utf-8", "replace") + "\n")
        return super().answer_all(requests)
