"""Word documents, read part by part and letter by letter as the documents tools read them."""
