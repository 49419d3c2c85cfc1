"""Data structures without a word of API Gateway: compiled, over plain numpy records."""
