-- Lists of proofs by category, and of those since a time.
CREATE INDEX proof_chain_by_category ON proof_chain (category, position);
CREATE INDEX proof_chain_by_time ON proof_chain (finished_at);
