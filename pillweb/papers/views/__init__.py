"""The pages of papers, and the page behind a code."""
