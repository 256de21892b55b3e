"""Reads .om files, the compiled models of Ascend and Kirin chips, without any vendor software.

Sources named in this room: "GE" is the repository mirror-cann/ge (commit f513b8f2, CANN 9.1), in which ATC writes and
the runtime reads these files; "netron" is lutzroeder/netron, source/om.js. What neither says was seen in real files.
"""
