/* The module of search: indexes of embeddings, and three commands.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"

static const WeftModuleCommand commands[] = {
  { "index", "encode a data set or a folder with a run's best model, for searching", "RUN [FOLDER]",
    "Encodes a data set with a run's best model and writes an index: a folder with embeddings as plain .npy (float32, one a row, for other "
    "programs too), a smaller form that is scanned, names and pictures. What is encoded is what the pipeline's `run: encode:` names. "
    "FOLDER "
    "is what the run's sources read instead of their own path: photographs, or features in SCAN's layout.\n\nExamples:\n"
    "  weft index runs/user-photos ~/Pictures -o pictures.index\n"
    "  weft index runs/user-f30k --split test -o f30k.index\n"
    "  weft index runs/user-f30k data/mine --names mine.txt --pictures ~/mine --captions texts.txt -o mine.index",
    index_options, index_command },
  { "search", "find what of an index is nearest to a text or a picture", "INDEX TEXT",
    "Encodes a text or a picture with the run that made the index and prints the nearest items. All items are compared; the scores are "
    "those of the float32 embeddings, to double precision.\n\nExamples:\n"
    "  weft search pictures.index \"two dogs on a beach\"\n"
    "  weft search f30k.index --image dog.jpg --most 5 --json",
    search_options, search_command },
#ifdef HAVE_SOUP
  { "serve", "answer searches of an index in a browser on this machine", "INDEX",
    "Serves a page with a field for queries and the pictures that are found, on the loopback interface alone. `/search?q=TEXT&k=N` answers "
    "with JSON, `/search?row=N` with what is nearest to an image of the index. Nothing but the index is served.\n\nExample:\n"
    "  weft serve pictures.index --port 8080",
    serve_options, serve_command },
#endif
  { 0 },
};

WEFT_MODULE ("search", "1.0", "indexes of embeddings and exact search", .commands = commands);
