/* weft serve: searches of an index over HTTP, on the loopback interface.
 *
 * Paths are compared, never opened: `/`, `/search` and `/picture/N`, where N is a number of the index.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <fcntl.h>
#include <glib-unix.h>
#include <libsoup/soup.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "commands.h"
#include "encoder.h"
#include "page.h"

#define LONGEST_QUERY 4096

static int port = 8080, most = 20;

const GOptionEntry serve_options[] = {
  { "port", 'p', 0, G_OPTION_ARG_INT, &port, "Port on 127.0.0.1 (default 8080; 0: any that is free)", "N" },
  { "most", 'k', 0, G_OPTION_ARG_INT, &most, "How many items to show (default 20)", "N" },
  { NULL, 0, 0, 0, NULL, NULL, NULL },
};

typedef struct
{
  Index *index;
  Encoder *encoder;
  const Side *images, *texts; /* (nullable) */
  guint threads;
} Service;

static void
respond (SoupServerMessage *message, guint status, const char *type, gconstpointer body, gsize length)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (message);
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  soup_message_headers_replace (headers, "Content-Security-Policy",
                                "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  soup_message_headers_replace (headers, "Referrer-Policy", "no-referrer");
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, body, length);
}

static void
respond_error (SoupServerMessage *message, guint status, const char *what)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (JsonObject) object = json_object_new ();
  json_object_set_string_member (object, "error", what);
  json_node_set_object (node, object);
  g_autofree char *text = json_to_string (node, FALSE);
  respond (message, status, "application/json", text, strlen (text));
}

/* Pages of other hosts that a name server leads here are refused. */
static gboolean
is_local (SoupServerMessage *message)
{
  const char *host = soup_message_headers_get_one (soup_server_message_get_request_headers (message), "Host");
  static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
  for (guint i = 0; host && i < G_N_ELEMENTS (names); i++)
    {
      gsize length = strlen (names[i]);
      if (g_ascii_strncasecmp (host, names[i], length) == 0 && (host[length] == '\0' || host[length] == ':'))
        return TRUE;
    }
  return FALSE;
}

static gboolean
is_allowed (SoupServerMessage *message)
{
  const char *method = soup_server_message_get_method (message);
  if (!is_local (message))
    respond_error (message, SOUP_STATUS_FORBIDDEN, "this server answers to localhost alone");
  else if (strcmp (method, SOUP_METHOD_GET) != 0 && strcmp (method, SOUP_METHOD_HEAD) != 0)
    respond_error (message, SOUP_STATUS_METHOD_NOT_ALLOWED, "only GET is understood");
  else
    return TRUE;
  return FALSE;
}

/* The answer with pictures as the page finds them. */
static char *
answer_for_page (const Service *service, const Side *side, const char *query, const Hit *hits, guint k)
{
  g_autofree char *text = answer_json (service->index, side, query, hits, k);
  g_autoptr (JsonNode) root = json_from_string (text, NULL);
  JsonObject *object = json_node_get_object (root);
  JsonArray *list = json_object_get_array_member (object, "hits");
  json_object_set_int_member (object, "rows", side->rows);
  json_object_set_boolean_member (object, "text", side->text);
  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *hit = json_array_get_object_element (list, i);
      g_autofree char *path = g_strdup_printf ("picture/%" G_GINT64_FORMAT, json_object_get_int_member (hit, "row"));
      if (json_object_has_member (hit, "picture"))
        json_object_set_string_member (hit, "picture", path);
    }
  return json_to_string (root, FALSE);
}

static gboolean
parse_number (const char *text, gint64 limit, gint64 *number)
{
  guint64 value;
  gboolean ok = text && g_ascii_string_to_unsigned (text, 10, 0, (guint64) MAX (limit - 1, 0), &value, NULL) && limit > 0;
  *number = ok ? (gint64) value : -1;
  return ok;
}

static void
answer (Service *service, SoupServerMessage *message, const Side *side, const char *query, const float *embedding, gint64 width, guint k)
{
  g_autoptr (GError) error = NULL;
  g_autofree Hit *hits = answer_find (side, embedding, width, &k, service->threads, &error);
  g_autofree char *text = hits ? answer_for_page (service, side, query, hits, k) : NULL;
  if (text)
    respond (message, SOUP_STATUS_OK, "application/json", text, strlen (text));
  else
    respond_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
}

static void
answer_text (Service *service, SoupServerMessage *message, const char *query, guint k)
{
  g_autoptr (GError) error = NULL;
  g_autofree float *embedding = g_new (float, service->encoder->width);
  const Side *side = service->images ? service->images : service->texts;
  if (strlen (query) > LONGEST_QUERY)
    respond_error (message, SOUP_STATUS_BAD_REQUEST, "the query is too long");
  else if (!encoder_texts (service->encoder, &query, 1, embedding, &error))
    respond_error (message, SOUP_STATUS_BAD_REQUEST, error->message);
  else
    answer (service, message, side, query, embedding, service->encoder->width, k);
}

/* What is nearest to an image of the index: texts if there are any, else other images. */
static void
answer_row (Service *service, SoupServerMessage *message, gint64 row, guint k)
{
  const Side *from = service->images;
  answer (service, message, service->texts ? service->texts : from, NULL, (const float *) from->exact.data + row * from->width, from->width,
          k);
}

static void
on_search (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path, GHashTable *query, gpointer data)
{
  Service *service = data;
  const char *text = query ? g_hash_table_lookup (query, "q") : NULL, *row_text = query ? g_hash_table_lookup (query, "row") : NULL;
  const char *k_text = query ? g_hash_table_lookup (query, "k") : NULL;
  gint64 k = most, row;
  if (!is_allowed (message))
    return;
  if (strcmp (path, "/search") != 0)
    respond_error (message, SOUP_STATUS_NOT_FOUND, "there is nothing here");
  else if (k_text && (!parse_number (k_text, MOST_HITS + 1, &k) || k < 1))
    respond_error (message, SOUP_STATUS_BAD_REQUEST, "k is a number from 1 to 10000");
  else if (text)
    answer_text (service, message, text, (guint) k);
  else if (row_text && parse_number (row_text, service->images ? service->images->rows : 0, &row))
    answer_row (service, message, row, (guint) k);
  else
    respond_error (message, SOUP_STATUS_BAD_REQUEST, "expected q=TEXT or row=N of an image");
}

/* Sends one of the index's own pictures; links are not followed. */
static void
send_picture (const Service *service, SoupServerMessage *message, gint64 row)
{
  g_autofree char *file = index_picture (service->index, row);
  int opened = file ? open (file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
  struct stat status;
  if (opened >= 0 && fstat (opened, &status) == 0 && S_ISREG (status.st_mode))
    {
      g_autoptr (GMappedFile) mapped = g_mapped_file_new_from_fd (opened, FALSE, NULL);
      if (mapped)
        respond (message, SOUP_STATUS_OK, picture_type (file), g_mapped_file_get_contents (mapped), g_mapped_file_get_length (mapped));
    }
  if (opened >= 0)
    close (opened);
  if (soup_server_message_get_status (message) == 0)
    respond_error (message, SOUP_STATUS_NOT_FOUND, "the index has no such picture");
}

static void
on_picture (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path, GHashTable *query G_GNUC_UNUSED, gpointer data)
{
  Service *service = data;
  gint64 row;
  if (!is_allowed (message))
    return;
  if (g_str_has_prefix (path, "/picture/") && parse_number (path + strlen ("/picture/"), service->images ? service->images->rows : 0, &row))
    send_picture (service, message, row);
  else
    respond_error (message, SOUP_STATUS_NOT_FOUND, "the index has no such picture");
}

static void
on_other (SoupServer *server G_GNUC_UNUSED, SoupServerMessage *message, const char *path, GHashTable *query G_GNUC_UNUSED,
          gpointer data G_GNUC_UNUSED)
{
  if (!is_allowed (message))
    return;
  if (strcmp (path, "/") == 0)
    respond (message, SOUP_STATUS_OK, "text/html; charset=utf-8", page_html, strlen (page_html));
  else
    respond_error (message, SOUP_STATUS_NOT_FOUND, "there is nothing here");
}

static gboolean
on_signal (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gboolean
serve (Service *service, GError **error)
{
  g_autoptr (SoupServer) server = soup_server_new ("server-header", "weft", NULL);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  soup_server_add_handler (server, "/search", on_search, service, NULL);
  soup_server_add_handler (server, "/picture", on_picture, service, NULL);
  soup_server_add_handler (server, NULL, on_other, service, NULL);
  if (!soup_server_listen_local (server, (guint) port, SOUP_SERVER_LISTEN_IPV4_ONLY, error))
    return FALSE;
  GSList *uris = soup_server_get_uris (server);
  printf ("http://127.0.0.1:%d/\n", uris ? g_uri_get_port (uris->data) : port);
  fflush (stdout);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  g_unix_signal_add (SIGINT, on_signal, loop);
  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_main_loop_run (loop);
  soup_server_disconnect (server);
  return TRUE;
}

int
serve_command (const WeftCommandCall *call)
{
  g_autoptr (GError) error = NULL;
  if (call->n != 1)
    return command_misused ("serve", "expected one index");
  if (port < 0 || port > 65535 || most < 1 || most > MOST_HITS)
    return command_misused ("serve", "--port is from 0 to 65535, --most from 1 to 10000");
  g_autoptr (Index) index = index_open (call->arguments[0], &error);
  g_autoptr (Encoder) encoder =
      index ? encoder_open (index->run, (const char *const *) index->settings, TRUE, call->threads, &error) : NULL;
  if (!encoder)
    return command_failed ("serve", error);
  Service service = {
    .index = index, .encoder = encoder, .images = index_first (index, FALSE), .texts = index_first (index, TRUE), .threads = call->threads
  };
  return serve (&service, &error) ? 0 : command_failed ("serve", error);
}
