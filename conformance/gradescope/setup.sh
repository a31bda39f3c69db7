#!/bin/sh
# SPDX-License-Identifier: ISC
# Gradescope runs this once, when it builds the image: what the suite needs, and the languages of your students.
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends python3 python3-pexpect
