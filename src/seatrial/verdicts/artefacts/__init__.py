"""What is written down: results, sentences, slices, flips, the decision record, the baseline, the gate's checks."""
