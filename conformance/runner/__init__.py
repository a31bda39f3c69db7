# SPDX-License-Identifier: ISC
"""The replayer of the conformance transcripts. Standard library only; pexpect where a terminal is needed."""
