"""What a measuring pod is told and what it says; names and wording of its figures."""
