# Documentation.
dist_doc_DATA = \
	doc/design.md \
	doc/model.md \
	doc/signatures.md
