"""From the store to arrays: cases, clusters, weights, labels, latencies, money. The only part that reads scores."""
