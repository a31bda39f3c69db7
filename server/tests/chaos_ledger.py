# SPDX-License-Identifier: ISC
"""The replies that chaos received, and what the store must contain at the end."""
import threading
from collections import Counter


class Ledger:
    """Of each text: who sent it where, and what became of it. Used by many threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}       # text: (sender, target, number)
        self.stored = set()  # acknowledged: it is in the mailbox
        self.refused = set()  # KO: it is nowhere
        self.unknown = set()  # no reply: it may be in the mailbox, on the IMQ or nowhere
        self.deleted = set()  # acknowledged: it is gone
        self.perhaps = set()  # DELMSG without a reply: it may be gone
        self.wrong = []       # replies that no server may give

    def complain(self, what):
        with self.lock:
            self.wrong.append(what)

    def send(self, sender, target, number):
        text = f"{sender} to {target}: {number}"
        with self.lock:
            self.sent[text] = (sender, target, number)
        return text

    def outcome(self, text, kind):
        with self.lock:
            {"stored": self.stored, "refused": self.refused, "unknown": self.unknown}[kind].add(text)

    def read(self, owner, text, gone):
        """GETMSG gave text; gone: what DELMSG came to (True, False, None: no reply)."""
        with self.lock:
            if self.sent.get(text, (None, None))[1] != owner:
                self.wrong.append(f"{owner} got a text that nobody sent there: {text!r}")
            elif text in self.deleted:
                self.wrong.append(f"{owner} got a text again that was deleted: {text!r}")
            elif text in self.refused:
                self.wrong.append(f"{owner} got a text that was refused: {text!r}")
            if gone:
                self.deleted.add(text)
            elif gone is None:
                self.perhaps.add(text)

    def settle(self, mailboxes, waiting):
        """Compares with what is there at the end: mailboxes (owner: texts), texts on the IMQ.
        Gives back lost, doubled and wrong."""
        lost, wrong = [], list(self.wrong)
        found = Counter(waiting)
        for owner, texts in mailboxes.items():
            found.update(texts)
            last = {}
            for text in texts:
                sender, target, number = self.sent.get(text, (None, None, 0))
                if target != owner:
                    wrong.append(f"{text!r} is in the mailbox of {owner}")
                elif text in self.stored:
                    if number <= last.get(sender, -1):
                        wrong.append(f"{owner}: {text!r} comes after {last[sender]}")
                    last[sender] = number
        for text in self.stored - self.deleted - self.perhaps:
            if found[text] == 0 or text in waiting:
                lost.append(text)
        doubled = [text for text, count in found.items() if count > 1 or text in self.deleted]
        wrong += [f"refused, and there: {text!r}" for text in self.refused if found[text] > 0]
        return lost, doubled, wrong
