# SPDX-License-Identifier: ISC
"""Wrong in STORE and COUNT."""
import time

from base import CHOICE, KO, MUST, OK, SHOULD, Mail, Server, Unknown

# ---- STORE


@MUST
class StoreTakesOldest(Mail):
    """STORE takes the oldest message of the IMQ."""

    def store(self, user, recipient):
        self.IMQ.reverse()
        reply = super().store(user, recipient)
        self.IMQ.reverse()
        return reply


@MUST
class StoreLeavesItOnImq(Mail):
    """STORE copies the message and leaves it on the IMQ."""

    def store(self, user, recipient):
        before = list(self.IMQ)
        reply = super().store(user, recipient)
        self.IMQ = before
        return reply


@MUST
class StoreTakesAll(Mail):
    """STORE moves all of the IMQ."""

    def store(self, user, recipient):
        reply = super().store(user, recipient)
        while reply == OK and self.IMQ:
            super().store(user, recipient)
        return reply


@MUST
class StoreAtTheFront(Mail):
    """STORE puts the message at the front of the mailbox."""

    def store(self, user, recipient):
        reply = super().store(user, recipient)
        if reply == OK:
            self.MBX[recipient].insert(0, self.MBX[recipient].pop())
        return reply


@MUST
class StoreForOneself(Mail):
    """STORE puts the message into the sender's mailbox."""

    def store(self, user, recipient):
        return super().store(user, user if recipient in self.RA else recipient)


@MUST
class StoreOwnMessagesOnly(Mail):
    """STORE takes the sender's own most recent message."""

    def store(self, user, recipient):
        own = [entry for entry in self.IMQ if entry[0] == user]
        if not own or recipient not in self.RA:
            return KO
        self.IMQ.remove(own[-1])
        self.MBX[recipient].append(own[-1][1])
        return OK


@MUST
class StoreOkForNobody(Mail):
    """STORE for an unknown user is answered OK."""

    def store(self, user, recipient):
        return super().store(user, recipient) if recipient in self.RA else OK


@MUST
class StoreDropsForNobody(Mail):
    """STORE for an unknown user takes the message off the IMQ."""

    def store(self, user, recipient):
        if recipient not in self.RA and self.IMQ:
            self.IMQ.pop()
        return super().store(user, recipient)


@MUST
class StorePutsBackInFront(Mail):
    """STORE for an unknown user puts the message back at the wrong end."""

    def store(self, user, recipient):
        if recipient not in self.RA and self.IMQ:
            self.IMQ.insert(0, self.IMQ.pop())
        return super().store(user, recipient)


@MUST
class StoreKeepsAndDoubles(Mail):
    """STORE for an unknown user leaves the message on the IMQ twice."""

    def store(self, user, recipient):
        if recipient not in self.RA and self.IMQ:
            self.IMQ.append(self.IMQ[-1])
        return super().store(user, recipient)


class Beginnings(Mail):
    """Finds users by the beginning of their names."""

    def whole(self, name):
        return next((user for user in self.RA if name and user.startswith(name)), name)


@MUST
class StoreByBeginning(Beginnings):
    """STORE takes the beginning of a username."""

    def store(self, user, recipient):
        return super().store(user, recipient if recipient in self.RA else self.whole(recipient))


@MUST
class CountByBeginning(Beginnings):
    """COUNT takes the beginning of a username."""

    def count(self, user, owner):
        return super().count(user, owner if owner in self.RA else self.whole(owner))


@CHOICE
class StoreFromEmptyOk(Mail):
    """STORE from an empty IMQ is answered OK."""

    def store(self, user, recipient):
        return OK if recipient in self.RA and not self.IMQ else super().store(user, recipient)


@CHOICE
class StoreFromEmptyRepeats(Mail):
    """STORE from an emptied IMQ stores the last message again."""

    def store(self, user, recipient):
        if self.IMQ:
            self.last = self.IMQ[-1]
        elif hasattr(self, "last"):
            self.IMQ.append(self.last)
        return super().store(user, recipient)


@CHOICE
class MailboxUnlimited(Mail):
    """A mailbox is never full."""

    def store(self, user, recipient):
        self.options.max_mailbox = 1 << 30
        return super().store(user, recipient)


@CHOICE
class MailboxFullLosesMessage(Mail):
    """STORE into a full mailbox is refused, and the message is gone."""

    def store(self, user, recipient):
        reply = super().store(user, recipient)
        if reply == KO and recipient in self.RA and self.IMQ:
            self.IMQ.pop()
        return reply


@CHOICE
class StoreUnknownCookieIsKo(Unknown):
    """STORE with an unknown cookie is answered KO."""

    verb = b"STORE"


@SHOULD
class StoreWithoutLogin(Mail):
    """STORE needs no cookie."""

    def answer(self, line):
        words = (line or b"").split(b" ")
        if words[0] == b"STORE" and len(words) == 3 and not self.user_of(words[2]):
            return self.store(None, words[1])
        return super().answer(line)


@MUST
class StoreNotAtomic(Server):
    """Two clients that store at once take the same message."""

    def answer_all(self, requests):
        requests = list(requests)
        if requests and requests[0] and requests[0].startswith(b"STORE ") and self.mail.IMQ:
            newest = self.mail.IMQ[-1]
            time.sleep(0.01)
            with self.lock:
                if newest not in self.mail.IMQ:
                    self.mail.IMQ.append(newest)
        return super().answer_all(requests)


class NameFirst(Mail):
    """Looks for the user before it looks at the cookie."""

    verb = b"STORE"

    def answer(self, line):
        words = (line or b"").split(b" ")
        wrong = len(words) == 3 and words[0] == self.verb and words[1] not in self.RA
        return KO if wrong else super().answer(line)


@CHOICE
class StoreNameBeforeCookie(NameFirst):
    """STORE tells an unknown user before an unknown cookie."""


# ---- COUNT


class OtherCount(Mail):
    """Changes the number or the form."""

    def count(self, user, owner):
        reply = super().count(user, owner)
        return reply if reply == KO else self.form(len(self.MBX[owner]), owner)


@MUST
class CountWithoutWord(OtherCount):
    """COUNT is answered with the number alone."""

    def form(self, number, owner):
        return b"%d" % number


@MUST
class CountInSmallLetters(OtherCount):
    """COUNT is answered with Counted."""

    def form(self, number, owner):
        return b"Counted %d" % number


@MUST
class CountWithZeros(OtherCount):
    """COUNT is answered with leading zeros."""

    def form(self, number, owner):
        return b"COUNTED %02d" % number


@MUST
class CountOneDigit(OtherCount):
    """COUNT shows one digit."""

    def form(self, number, owner):
        return b"COUNTED %d" % (number % 10)


@MUST
class CountZeroIsKo(OtherCount):
    """COUNT of an empty mailbox is answered KO."""

    def form(self, number, owner):
        return b"COUNTED %d" % number if number else KO


@MUST
class CountWithImq(OtherCount):
    """COUNT counts the IMQ too."""

    def form(self, number, owner):
        return b"COUNTED %d" % (number + sum(sender == owner for sender, _ in self.IMQ))


@MUST
class CountAllMailboxes(OtherCount):
    """COUNT counts all mailboxes."""

    def form(self, number, owner):
        return b"COUNTED %d" % sum(map(len, self.MBX.values()))


@MUST
class CountTakesOne(OtherCount):
    """COUNT removes the first message."""

    def form(self, number, owner):
        del self.MBX[owner][:1]
        return b"COUNTED %d" % number


@MUST
class CountUnknownIsZero(Mail):
    """COUNT of an unknown user is answered COUNTED 0."""

    def count(self, user, owner):
        return super().count(user, owner) if owner in self.RA else b"COUNTED 0"


@CHOICE
class CountOwnOnly(Mail):
    """COUNT of another user's mailbox is refused."""

    def count(self, user, owner):
        return super().count(user, owner) if owner == user else KO


@CHOICE
class CountUnknownCookieIsKo(Unknown):
    """COUNT with an unknown cookie is answered KO."""

    verb = b"COUNT"


@MUST
class StoreOkInOtherWords(Mail):
    """STORE is answered OK stored."""

    def store(self, user, recipient):
        reply = super().store(user, recipient)
        return OK + b" stored" if reply == OK else reply
