# The conformance suite, and its own tests.

# Programs that are tested by default. Another server: SERVER='command {host} {port}', or ADDRESS=host:port.
SMSP_PROGRAMS := server/smspd client/smsp
# A value from the command line as one word of the shell.
quote = '$(subst ','\'',$(1))'
option = $(if $($(1)),$(2) $(call quote,$($(1))))

# Without SERVER and ADDRESS it is our own server, which is held to its own choices too.
CONFORMANCE_OURS = $(if $(SERVER)$(ADDRESS),,yes)
CONFORMANCE_ARGS = $(call option,SERVER,--server) $(call option,ADDRESS,--address) $(call option,NAME,--name) \
	$(call option,FRAMING,--framing) $(call option,CONNECTION,--connection) $(call option,LIMITS,--limits) \
	$(call option,TIMEOUT,--timeout) $(call option,DELIVERY,--delivery) $(call option,CASES,--cases) \
	$(call option,SKIP,--skip) $(call option,EXPECT_FAIL,--expect-fail) $(call option,JOBS,--jobs) \
	$(call option,JUNIT,--junit) $(call option,JSON,--json) \
	$(if $(LEVEL),--level $(call quote,$(LEVEL)),$(if $(CONFORMANCE_OURS),--level choice)) \
	--html $(if $(HTML),$(call quote,$(HTML)),conformance/report.html)

.PHONY: conformance
conformance: ## play every transcript against our server, or SERVER='cmd {host} {port}' or ADDRESS=host:port
	@ci/deps conformance || $(if $(CONFORMANCE_OURS),exit 3,echo "make conformance: going on without what is lacking" >&2)
	@$(if $(CONFORMANCE_OURS),$(MAKE) --no-print-directory -s all)
	@conformance/smsp-conformance --bats $(CONFORMANCE_ARGS)

CLEAN += conformance/report.html
