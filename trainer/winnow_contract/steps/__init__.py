"""Steps of a compression: their options, one step as it is run, chains of them."""
