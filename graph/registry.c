/* Operators by name, and the modules that bring them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "registry.h"

#include <dlfcn.h>
#include <string.h>

#include "core.h"
#include "parts.h"

/* What modules of interface 1.0 know of these structs: later minor versions add fields at the end. */
#define FIRST_OPERATOR_SIZE (G_STRUCT_OFFSET (WeftOperator, check) + sizeof (gpointer))
#define FIRST_MODULE_SIZE (G_STRUCT_OFFSET (WeftModule, matrix_product) + sizeof (gpointer))

typedef struct
{
  GHashTable *by_name;   /* name → WeftOperator */
  GHashTable *module_of; /* WeftOperator → WeftModule */
  GPtrArray *operators;  /* sorted, NULL-terminated */
  GPtrArray *names;
  GPtrArray *modules; /* WeftLoaded */
  GHashTable *seen;   /* module file names, without directory */
  void (*watch) (const char *path);
} Registry;

static Registry *
registry (void)
{
  static gsize once;
  static Registry instance;

  if (g_once_init_enter (&once))
    {
      instance.by_name = g_hash_table_new (g_str_hash, g_str_equal);
      instance.module_of = g_hash_table_new (NULL, NULL);
      instance.operators = g_ptr_array_new ();
      instance.names = g_ptr_array_new ();
      instance.modules = g_ptr_array_new ();
      instance.seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      for (guint i = 0; weft_core_operators[i]; i++)
        g_hash_table_insert (instance.by_name, (gpointer) weft_core_operators[i]->name, (gpointer) weft_core_operators[i]);
      g_once_init_leave (&once, 1);
    }
  return &instance;
}

static int
compare_operators (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const WeftOperator *const *) a)->name, (*(const WeftOperator *const *) b)->name);
}

static void
refresh_lists (Registry *self)
{
  GHashTableIter iter;
  gpointer op;

  g_ptr_array_set_size (self->operators, 0);
  g_ptr_array_set_size (self->names, 0);
  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &op))
    g_ptr_array_add (self->operators, op);
  g_ptr_array_sort (self->operators, compare_operators);
  for (guint i = 0; i < self->operators->len; i++)
    g_ptr_array_add (self->names, (gpointer) ((const WeftOperator *) self->operators->pdata[i])->name);
  g_ptr_array_add (self->operators, NULL);
  g_ptr_array_add (self->names, NULL);
}

/* A descriptor of an earlier minor version lacks the newest fields; here they are empty. Parts are computed by a function of the library. */
static const WeftOperator *
complete_descriptor (const WeftOperator *op)
{
  WeftOperator *complete;
  gboolean whole = op->size >= sizeof (WeftOperator);

  if (whole && !op->forward_part)
    return op;
  complete = g_new0 (WeftOperator, 1);
  memcpy (complete, op, MIN (op->size, sizeof (WeftOperator)));
  if (complete->forward_part)
    complete->forward = weft_forward_by_parts;
  return complete;
}

/* A descriptor that would break its users later is refused when it arrives. */
static gboolean
descriptor_is_sound (const WeftOperator *given, GError **error)
{
  WeftOperator known = { 0 }, *op = &known;
  const char *wrong = NULL;

  memcpy (op, given, MIN (given->size, sizeof known));
  op->forward = op->forward_part ? weft_forward_by_parts : op->forward;
  if (op->size < FIRST_OPERATOR_SIZE)
    wrong = "its size is not WEFT_OPERATOR_SIZE";
  else if (!op->name || !*op->name)
    wrong = "it has no name";
  else if (!op->outputs)
    wrong = "it has no list of outputs (an empty list is fine)";
  else if (!op->forward && !op->composition)
    wrong = "it has neither forward nor composition";
  else if (op->forward && !op->backward && !op->passes_gradient && !op->not_differentiable && !op->composition)
    wrong = "it has no backward and does not say why (not_differentiable)";
  else if (op->attributes && op->attributes[0].name && !op->attributes_size)
    wrong = "it has attributes but no attributes_size";
  if (wrong)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "operator \"%s\" is not usable: %s",
                 op->size >= G_STRUCT_OFFSET (WeftOperator, version) && op->name ? op->name : "?", wrong);
  return !wrong;
}

static char *
place_of_operator (Registry *self, const WeftOperator *op)
{
  const WeftModule *module = g_hash_table_lookup (self->module_of, op);

  for (guint i = 0; module && i < self->modules->len; i++)
    {
      const WeftLoaded *loaded = self->modules->pdata[i];
      if (loaded->module == module)
        return g_strdup_printf ("module \"%s\" (%s)", module->name, loaded->path);
    }
  return g_strdup (module ? module->name : "the core");
}

static gboolean
operator_is_welcome (Registry *self, const WeftOperator *op, GError **error)
{
  const WeftOperator *other;

  if (!descriptor_is_sound (op, error))
    return FALSE;
  other = g_hash_table_lookup (self->by_name, op->name);
  if (other)
    {
      g_autofree char *place = place_of_operator (self, other);
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "operator \"%s\" exists already, from %s; one of the two needs another name",
                   op->name, place);
    }
  return !other;
}

static void
add_operator (Registry *self, const WeftOperator *op, const WeftModule *module)
{
  const WeftOperator *complete = complete_descriptor (op);

  g_hash_table_insert (self->by_name, (gpointer) complete->name, (gpointer) complete);
  g_hash_table_insert (self->module_of, (gpointer) complete, (gpointer) module);
}

gboolean
weft_registry_add (const WeftOperator *op, GError **error)
{
  Registry *self = registry ();

  if (!operator_is_welcome (self, op, error))
    return FALSE;
  add_operator (self, op, NULL);
  refresh_lists (self);
  return TRUE;
}

/* The same for modules. */
static const WeftModule *
complete_module (const WeftModule *module)
{
  WeftModule *complete;

  if (module->size >= sizeof (WeftModule))
    return module;
  complete = g_new0 (WeftModule, 1);
  memcpy (complete, module, module->size);
  return complete;
}

static gboolean
module_is_served (const WeftModule *module, GError **error)
{
  if (module->interface_major == WEFT_INTERFACE_MAJOR && module->interface_minor <= WEFT_INTERFACE_MINOR
      && module->size >= FIRST_MODULE_SIZE)
    return TRUE;
  g_set_error (
      error, WEFT_ERROR, WEFT_ERROR_INPUT,
      "was compiled for operator interface %u.%u; this library serves %u.0 to %u.%u: compile it against the headers of this library, or "
      "install a library that serves %u.%u",
      module->interface_major, module->interface_minor, WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MINOR,
      module->interface_major, module->interface_minor);
  return FALSE;
}

/* All of a module's operators or none: a second name within the module is found as well. */
static gboolean
add_operators (Registry *self, const WeftModule *module, GError **error)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (const WeftOperator *const *op = module->first; op < module->last; op++)
    {
      if (!operator_is_welcome (self, *op, error))
        return FALSE;
      if (!g_hash_table_add (names, (gpointer) (*op)->name))
        {
          g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "has two operators of the name \"%s\"", (*op)->name);
          return FALSE;
        }
    }
  for (const WeftOperator *const *op = module->first; op < module->last; op++)
    add_operator (self, *op, module);
  return TRUE;
}

/* What is loaded stays loaded, refused or not: it may have left threads or handlers behind. */
static const WeftModule *
admit_module (Registry *self, const char *path, GError **error)
{
  gpointer handle = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const WeftModule *module;

  if (!handle)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "cannot be loaded: %s", dlerror ());
      return NULL;
    }
  module = dlsym (handle, "weft_module");
  if (!module)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "exports no weft_module: WEFT_MODULE() is missing");
      return NULL;
    }
  if (!module_is_served (module, error))
    return NULL;
  module = complete_module (module);
  if ((module->start && !module->start (error)) || !add_operators (self, module, error))
    return NULL;
  return module;
}

static void
load_module (Registry *self, const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  g_autoptr (GError) error = NULL;
  WeftLoaded *loaded;

  if (!g_hash_table_add (self->seen, g_strdup (base)))
    return;
  loaded = g_new0 (WeftLoaded, 1);
  loaded->path = g_canonicalize_filename (path, NULL);
  if (self->watch)
    self->watch (loaded->path);
  loaded->module = admit_module (self, loaded->path, &error);
  if (!loaded->module)
    loaded->refused = g_strdup (error ? error->message : "its start() failed without saying why");
  g_ptr_array_add (self->modules, loaded);
}

void
weft_registry_refuse (const char *path, const char *reason)
{
  Registry *self = registry ();
  WeftLoaded *loaded = g_new0 (WeftLoaded, 1);

  g_hash_table_add (self->seen, g_path_get_basename (path));
  loaded->path = g_strdup (path);
  loaded->refused = g_strdup (reason);
  g_ptr_array_add (self->modules, loaded);
}

void
weft_registry_watch (void (*watch) (const char *path))
{
  registry ()->watch = watch;
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
load_place (Registry *self, const char *place)
{
  g_autoptr (GDir) dir = NULL;
  g_autoptr (GPtrArray) names = NULL;
  const char *name;

  if (g_str_has_suffix (place, ".so"))
    {
      load_module (self, place);
      return;
    }
  dir = g_dir_open (place, 0, NULL);
  if (!dir)
    return;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)))
    if (g_str_has_suffix (name, ".so") && !g_str_has_prefix (name, "lib"))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_strings);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (place, names->pdata[i], NULL);
      load_module (self, path);
    }
}

static void
load_places (Registry *self, const char *places)
{
  g_auto (GStrv) list = g_strsplit (places ? places : "", ":", -1);

  for (guint i = 0; list[i]; i++)
    if (*list[i])
      load_place (self, list[i]);
}

/* Where this library's own modules are: beside it in a build tree, else where they were installed, even if all was moved since. */
static const char *
own_modules (void)
{
#ifdef WEFT_BUILD_MODULE_DIR
  static char *moved;
  Dl_info info;

  if (dladdr ((gconstpointer) weft_registry_load, &info) && info.dli_fname)
    {
      g_autofree char *real = g_canonicalize_filename (info.dli_fname, NULL);
      g_autofree char *dir = g_path_get_dirname (real);
      if (g_strcmp0 (dir, WEFT_BUILD_MODULE_DIR) == 0)
        return WEFT_BUILD_MODULE_DIR;
      if (!moved)
        moved = g_build_filename (dir, "weft", "modules", NULL);
      if (g_file_test (moved, G_FILE_TEST_IS_DIR))
        return moved;
    }
#endif
  return WEFT_MODULE_DIR;
}

void
weft_registry_load (const char *paths)
{
  Registry *self = registry ();
  g_autofree char *user = g_build_filename (g_get_user_data_dir (), "weft", "modules", NULL);

  load_places (self, paths);
  load_places (self, g_getenv ("WEFT_PLUGIN_PATH"));
  load_place (self, user);
  load_place (self, own_modules ());
  refresh_lists (self);
}

const WeftOperator *
weft_registry_find (const char *name)
{
  return g_hash_table_lookup (registry ()->by_name, name);
}

const WeftModule *
weft_registry_module_of (const WeftOperator *op)
{
  return g_hash_table_lookup (registry ()->module_of, op);
}

const WeftOperator *const *
weft_registry_operators (guint *n)
{
  Registry *self = registry ();

  if (!self->operators->len)
    refresh_lists (self);
  if (n)
    *n = self->operators->len - 1;
  return (const WeftOperator *const *) self->operators->pdata;
}

const char *const *
weft_registry_names (void)
{
  weft_registry_operators (NULL);
  return (const char *const *) registry ()->names->pdata;
}

const GPtrArray *
weft_registry_modules (void)
{
  return registry ()->modules;
}
