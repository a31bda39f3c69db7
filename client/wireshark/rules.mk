# The Wireshark dissector: tests with tshark.

.PHONY: check-wireshark
check-wireshark: ## test the Wireshark dissector with tshark
	@ci/deps wireshark
	@bats client/wireshark/tests/test_wireshark.bats
