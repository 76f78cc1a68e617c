/* Lesson 9: a pipeline in a program of one's own.
 *
 *     cc 9-session.c `pkg-config --cflags --libs weft-1` -o session && ./session 9-session.yaml
 *
 * Scores two images against three captions, by their embeddings.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <weft/session.h>

static WeftTensor
matrix (float *data, gint64 rows, gint64 columns)
{
  return (WeftTensor){ .type = WEFT_F32, .rank = 2, .shape = { rows, columns }, .data = data };
}

static gboolean
run (WeftSession *session, GError **error)
{
  float images[] = { 3, 4, 0, 1 }, captions[] = { 1, 0, 0, 2, 5, 5 };
  WeftTensor image = matrix (images, 2, 2), caption = matrix (captions, 3, 2);

  /* What will be read is said first; memory is planned with the first feed or step. */
  if (!weft_session_want (session, "score.similarity", error) || !weft_session_feed (session, "score.images", &image, error)
      || !weft_session_feed (session, "score.captions", &caption, error) || !weft_session_step (session, "score", NULL, error))
    return FALSE;
  const WeftTensor *similarity = weft_session_value (session, "score.similarity");
  for (gint64 i = 0; i < similarity->shape[0]; i++)
    {
      for (gint64 j = 0; j < similarity->shape[1]; j++)
        printf ("%s%.3f", j ? " " : "", (double) ((float *) similarity->data)[i * similarity->shape[1] + j]);
      printf ("\n");
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WeftSession) session = weft_session_open (argc > 1 ? argv[1] : "9-session.yaml", NULL, NULL, 0, &error);

  if (session && run (session, &error))
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
