/* Indexes, searches and the server as their users meet them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include <math.h>

#include "http.h"
#include "npy.h"

static char *folder;

static void
setup (void)
{
  folder = rig_folder ();
  http_prepare (folder);
}

static void
teardown (void)
{
  rig_remove (folder);
  g_free (folder);
}

static JsonObject *
object_of (const char *text, JsonNode **node)
{
  *node = json_from_string (text, NULL);
  ck_assert_msg (*node != NULL && JSON_NODE_HOLDS_OBJECT (*node), "%s", text);
  return json_node_get_object (*node);
}

static JsonObject *
hit_of (JsonObject *answer, guint i)
{
  JsonArray *hits = json_object_get_array_member (answer, "hits");
  ck_assert_uint_lt (i, json_array_get_length (hits));
  return json_array_get_object_element (hits, i);
}

/* A caption that is in the index is encoded alone as it was among others, and finds itself. */
START_TEST (a_text_finds_itself)
{
  g_autofree char *path = g_build_filename (folder, "index", "captions.txt", NULL), *text = NULL;
  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  g_auto (GStrv) captions = g_strsplit (text, "\n", -1);
  g_autofree char *query = g_strdelimit (g_strdup (captions[37]), " ", '\1');
  g_autofree char *command = g_strdup_printf ("search index %s --side captions --json -k 3", query), *answer = http_well (folder, command);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *best = hit_of (object_of (answer, &node), 0);
  ck_assert_str_eq (json_object_get_string_member (best, "item"), captions[37]);
  ck_assert_double_eq_tol (json_object_get_double_member (best, "score"), 1, 1e-5);
}
END_TEST

/* Scores are products of the embeddings that `weft encode` gives. */
START_TEST (images_are_found_by_their_products)
{
  g_free (http_well (folder, "encode run --output encoded --quiet"));
  g_autofree char *path = g_build_filename (folder, "encoded", "images.npy", NULL),
                  *captions = g_build_filename (folder, "encoded", "captions.npy", NULL),
                  *texts = g_build_filename (folder, "index", "captions.txt", NULL), *text = NULL;
  WeftTensor of_images, of_captions;
  g_autofree float *image = weft_npy_read_f32 (path, &of_images, NULL), *caption = weft_npy_read_f32 (captions, &of_captions, NULL);
  ck_assert (image != NULL && caption != NULL && g_file_get_contents (texts, &text, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autofree char *query = g_strdelimit (g_strdup (lines[11]), " ", '\1');
  g_autofree char *command = g_strdup_printf ("search index %s --json -k %d", query, HTTP_IMAGES), *answer = http_well (folder, command);
  g_autoptr (JsonNode) node = NULL;
  JsonObject *found = object_of (answer, &node);
  ck_assert_str_eq (json_object_get_string_member (found, "side"), "images");
  double before = INFINITY;
  for (guint i = 0; i < HTTP_IMAGES; i++)
    {
      JsonObject *hit = hit_of (found, i);
      gint64 row = json_object_get_int_member (hit, "row"), e = of_images.shape[1];
      double score = json_object_get_double_member (hit, "score"), expected = 0;
      g_autofree char *name = g_strdup_printf ("photo-%d.png", (int) row);
      for (gint64 k = 0; k < e; k++)
        expected += (double) image[row * e + k] * (double) caption[11 * e + k];
      ck_assert_double_eq_tol (score, expected, 1e-5);
      ck_assert (score <= before);
      before = score;
      ck_assert_str_eq (json_object_get_string_member (hit, "item"), name);
      ck_assert (g_file_test (json_object_get_string_member (hit, "picture"), G_FILE_TEST_IS_REGULAR));
    }
}
END_TEST

/* An image by its features. */
START_TEST (features_find_their_image)
{
  g_free (
      http_well (folder, "run run -g images --until items --save items.regions=one.npy --set graphs.images.nodes.items.batch=1 --quiet"));
  g_autofree char *answer = http_well (folder, "search index --image one.npy --side images --json -k 2");
  g_autoptr (JsonNode) node = NULL;
  JsonObject *best = hit_of (object_of (answer, &node), 0);
  ck_assert_int_eq (json_object_get_int_member (best, "row"), 0);
  ck_assert_double_eq_tol (json_object_get_double_member (best, "score"), 1, 1e-5);
  g_autofree char *to_text = http_well (folder, "search index --image one.npy");
  g_auto (GStrv) lines = g_strsplit (to_text, "\n", -1);
  ck_assert_uint_eq (g_strv_length (lines), 11);
}
END_TEST

/* A published CLIP's image tower on a folder of photographs; its text tower is left out here. */
#define TOWER                                                                                                                              \
  "--set size=32 --set networks.image.units=16 --set networks.image.patch=8 --set networks.image.positions=17 "                            \
  "--set networks.image.width=32 --set networks.image.layers=2 --set networks.image.heads=2 --set networks.image.intermediate=64 "         \
  "--set graphs.captions=null --set graphs.scores=null --set networks.text=null --set run.encode.captions=null --set run.evaluate=null"

START_TEST (photographs_of_a_folder_are_indexed)
{
  static const char *const names[] = { "square.jpg", "tall.png", "tiny.png", "wide.jpg" };
  g_autofree char *clip = g_build_filename (WEFT_TEST_SOURCE_DIR, "tests", "recordings", "clip-small-hf", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *from = g_build_filename (clip, names[i], NULL), *to = g_build_filename ("album", names[i], NULL), *bytes = NULL;
      gsize length;
      ck_assert (g_file_get_contents (from, &bytes, &length, NULL));
      rig_write (folder, to, bytes, (gssize) length);
    }
  g_autofree char *command = g_strdup_printf ("index clip-zero-shot album -o album.index --set clip=%s " TOWER, clip);
  g_free (http_well (folder, command));
  g_autofree char *found = http_well (folder, "search album.index --image album/tall.png --json -k 4");
  g_autoptr (JsonNode) node = NULL;
  JsonObject *best = hit_of (object_of (found, &node), 0);
  ck_assert_str_eq (json_object_get_string_member (best, "item"), "tall.png");
  ck_assert (g_str_has_suffix (json_object_get_string_member (best, "picture"), "/album.index/pictures/1.png"));
  /* Photographs of the data itself bring their pictures, too. */
  rig_write (folder, "album.tsv", "wide.jpg\ta\ntall.png\tb\n", -1);
  g_autofree char *own = g_strdup_printf ("index clip-zero-shot --side images -o own.index --set photos=album --set captions=album.tsv "
                                          "--set share=0 --set clip=%s " TOWER,
                                          clip);
  g_free (http_well (folder, own));
  g_autofree char *picture = g_build_filename (folder, "own.index", "pictures", "1.png", NULL);
  ck_assert (g_file_test (picture, G_FILE_TEST_IS_REGULAR));
}
END_TEST

START_TEST (own_texts_are_indexed)
{
  rig_write (folder, "texts.txt", "a red circle\na blue star\nthe green square\n", -1);
  g_free (http_well (folder, "index run --captions texts.txt --side captions -o texts.index --scan float16"));
  g_autofree char *found = http_well (folder, "search texts.index a\1blue\1star -k 1");
  ck_assert_msg (strstr (found, "a blue star  #1") != NULL, "%s", found);
}
END_TEST

START_TEST (mistakes_are_told)
{
  static const struct
  {
    const char *arguments;
    int status;
    const char *message;
  } mistakes[] = {
    { "index run", 2, "--output INDEX" },
    { "index", 2, "expected a run" },
    { "index run -o other --scan int4", 2, "float16, int8 or float32" },
    { "index run -o other --side nothing", 1, "nothing of what --side asks for" },
    { "index run photos -o other", 1, "nothing that it reads from files" },
    { "index nowhere -o other", 1, "nowhere" },
    { "index run -o other --names texts-that-are-not-there", 1, "texts-that-are-not-there" },
    { "search index", 2, "expected an index and a text" },
    { "search run words", 1, "not an index" },
    { "search index words --side nothing", 1, "has no side \"nothing\"" },
    { "search index words -k 0", 2, "--most" },
    { "search index --image nothing.npy", 1, "nothing.npy" },
    { "search index --image nothing.png", 1, "nothing.png" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (mistakes); i++)
    {
      g_autofree char *message = NULL;
      int status = http_weft (folder, mistakes[i].arguments, NULL, &message);
      ck_assert_msg (status == mistakes[i].status && strstr (message, mistakes[i].message) != NULL, "%s: %d, %s", mistakes[i].arguments,
                     status, message);
    }
}
END_TEST

#ifdef HAVE_SOUP

START_TEST (the_server_answers)
{
  guint port;
  gsize length, expected;
  GPid child = http_serve (folder, &port);
  g_autofree char *page = NULL, *answer = NULL, *command = http_well (folder, "search index a\1red\1circle --json -k 4"), *picture = NULL,
                  *near = NULL;
  g_autofree guchar *png = g_base64_decode (HTTP_PNG, &expected);
  g_autoptr (JsonNode) node = NULL, other = NULL, third = NULL;
  ck_assert_uint_eq (http_get (port, "/", &page, NULL), 200);
  ck_assert_ptr_nonnull (strstr (page, "<form"));
  ck_assert_uint_eq (http_get (port, "/search?q=a%20red+circle&k=4", &answer, NULL), 200);
  JsonObject *got = object_of (answer, &node), *wanted = object_of (command, &other);
  ck_assert_uint_eq (json_array_get_length (json_object_get_array_member (got, "hits")), 4);
  for (guint i = 0; i < 4; i++)
    {
      JsonObject *one = hit_of (got, i), *same = hit_of (wanted, i);
      g_autofree char *path = g_strdup_printf ("picture/%d", (int) json_object_get_int_member (one, "row"));
      ck_assert_int_eq (json_object_get_int_member (one, "row"), json_object_get_int_member (same, "row"));
      ck_assert_str_eq (json_object_get_string_member (one, "picture"), path);
    }
  ck_assert_uint_eq (http_get (port, "/picture/3", &picture, &length), 200);
  ck_assert_uint_eq (length, expected);
  ck_assert_mem_eq (picture, png, length);
  ck_assert_uint_eq (http_get (port, "/search?row=3", &near, NULL), 200);
  ck_assert_str_eq (json_object_get_string_member (object_of (near, &third), "side"), "captions");
  http_end (child);
}
END_TEST

/* Nothing outside of the index, and of it nothing but pictures. */
static const char *const forbidden[] = {
  "/etc/passwd",
  "//etc/passwd",
  "/../../../../etc/passwd",
  "/..%2f..%2f..%2fetc/passwd",
  "/picture/../../../../etc/passwd",
  "/picture/..%2f..%2f..%2f..%2fetc%2fpasswd",
  "/picture/%2e%2e/index.json",
  "/picture/%2e%2e%2findex.json",
  "/picture/..\\index.json",
  "/picture/0/../../index.json",
  "/picture/0%00.png",
  "/picture/0.png",
  "/picture/5",
  "/picture/-1",
  "/picture/20",
  "/picture/18446744073709551616",
  "/picture/0x1",
  "/picture/ 1",
  "/picture/",
  "/picture",
  "/picture/photo-1.png",
  "/index.json",
  "/images.npy",
  "/captions.txt",
  "/pictures/0.png",
  "/search/../index.json",
  "/search/index.json",
  "http://127.0.0.1/etc/passwd",
  "file:///etc/passwd",
};

START_TEST (nothing_else_is_served)
{
  guint port;
  g_autofree char *file = g_build_filename (folder, "index", "pictures", "5.png", NULL);
  ck_assert (g_unlink (file) == 0 && symlink ("/etc/passwd", file) == 0);
  GPid child = http_serve (folder, &port);
  for (guint i = 0; i < G_N_ELEMENTS (forbidden); i++)
    {
      g_autofree char *body = NULL;
      guint status = http_get (port, forbidden[i], &body, NULL);
      ck_assert_msg (status >= 400 && status < 500, "%s: %u", forbidden[i], status);
      ck_assert_msg (strstr (body, "root:") == NULL && strstr (body, "version") == NULL, "%s: %s", forbidden[i], body);
    }
  http_end (child);
}
END_TEST

START_TEST (wrong_requests_are_refused)
{
  static const struct
  {
    const char *request;
    guint status;
  } requests[] = {
    { "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403 },
    { "GET /search?q=a HTTP/1.1\r\nHost: localhost.evil.example\r\nConnection: close\r\n\r\n", 403 },
    { "GET / HTTP/1.0\r\n\r\n", 403 },
    { "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 405 },
    { "DELETE /picture/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405 },
    { "GET /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?q= HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?q=%ff%fe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?q=a&k=0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?q=a&k=99999999999 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?row=20 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
    { "GET /search?row=-1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400 },
  };
  guint port;
  GPid child = http_serve (folder, &port);
  for (guint i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      guint status = http_raw (port, requests[i].request, NULL, NULL);
      ck_assert_msg (status == requests[i].status, "%s: %u, expected %u", requests[i].request, status, requests[i].status);
    }
  /* It still answers. */
  ck_assert_uint_eq (http_get (port, "/", NULL, NULL), 200);
  http_end (child);
}
END_TEST

#endif

int
main (void)
{
  Suite *suite = suite_create ("search");
  TCase *tests = tcase_create ("search");
  weft_registry_load (NULL);
  tcase_add_unchecked_fixture (tests, setup, teardown);
  tcase_add_test (tests, a_text_finds_itself);
  tcase_add_test (tests, images_are_found_by_their_products);
  tcase_add_test (tests, features_find_their_image);
  if (weft_registry_find ("photographs"))
    tcase_add_test (tests, photographs_of_a_folder_are_indexed);
  else
    g_print ("indexing photographs was not tested: this build has no libvips\n");
  tcase_add_test (tests, own_texts_are_indexed);
  tcase_add_test (tests, mistakes_are_told);
#ifdef HAVE_SOUP
  tcase_add_test (tests, the_server_answers);
  tcase_add_test (tests, nothing_else_is_served);
  tcase_add_test (tests, wrong_requests_are_refused);
#else
  g_print ("weft serve was not tested: this build has no libsoup\n");
#endif
  suite_add_tcase (suite, tests);
  return rig_main (suite);
}
