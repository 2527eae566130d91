"""The benchmark suite: cases (table.py) run attune and its peers in turns (sides.py, peer.py) over the same material (material.py), prove
that both did the same work (gates.py), and relate the figures to what the machine can do (machine.py, flops.py). report.py writes
RESULTS.md from the results."""
