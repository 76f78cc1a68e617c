/* Operators by name, and the modules that bring them.
 *
 * SPDX-License-Identifier: BSD-3-Clause */
#include "registry.h"

#include <dlfcn.h>
#include <string.h>

#include "core.h"

typedef struct
{
  GHashTable *by_name;   /* name → WeftOperator */
  GHashTable *module_of; /* WeftOperator → WeftModule */
  GPtrArray *operators;  /* sorted, NULL-terminated */
  GPtrArray *names;
  GPtrArray *modules;    /* WeftLoaded */
  GHashTable *seen;      /* module file names, without directory */
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
  gpointer operator;

  g_ptr_array_set_size (self->operators, 0);
  g_ptr_array_set_size (self->names, 0);
  g_hash_table_iter_init (&iter, self->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &operator))
    g_ptr_array_add (self->operators, operator);
  g_ptr_array_sort (self->operators, compare_operators);
  for (guint i = 0; i < self->operators->len; i++)
    g_ptr_array_add (self->names, (gpointer) ((const WeftOperator *) self->operators->pdata[i])->name);
  g_ptr_array_add (self->operators, NULL);
  g_ptr_array_add (self->names, NULL);
}

/* A descriptor that would break its users later is refused when it arrives. */
static gboolean
descriptor_is_sound (const WeftOperator *operator, GError **error)
{
  const char *wrong = NULL;

  if (operator->size < sizeof (WeftOperator))
    wrong = "its size is not WEFT_OPERATOR_SIZE";
  else if (!operator->name || !*operator->name)
    wrong = "it has no name";
  else if (!operator->outputs)
    wrong = "it has no list of outputs (an empty list is fine)";
  else if (!operator->forward && !operator->composition)
    wrong = "it has neither forward nor composition";
  else if (operator->forward && !operator->backward && !operator->not_differentiable && !operator->composition)
    wrong = "it has no backward and does not say why (not_differentiable)";
  else if (operator->attributes && operator->attributes[0].name && !operator->attributes_size)
    wrong = "it has attributes but no attributes_size";
  if (wrong)
    g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "operator \"%s\" is not usable: %s",
                 operator->size >= G_STRUCT_OFFSET (WeftOperator, version) && operator->name ? operator->name : "?", wrong);
  return !wrong;
}

static gboolean
add_operator (Registry *self, const WeftOperator *operator, const WeftModule *module, GError **error)
{
  if (!descriptor_is_sound (operator, error))
    return FALSE;
  if (g_hash_table_contains (self->by_name, operator->name))
    {
      const WeftModule *other = g_hash_table_lookup (self->module_of, g_hash_table_lookup (self->by_name, operator->name));
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "operator \"%s\" exists already, from %s", operator->name, other ? other->name : "the core");
      return FALSE;
    }
  g_hash_table_insert (self->by_name, (gpointer) operator->name, (gpointer) operator);
  g_hash_table_insert (self->module_of, (gpointer) operator, (gpointer) module);
  return TRUE;
}

gboolean
weft_registry_add (const WeftOperator *operator, GError **error)
{
  Registry *self = registry ();
  gboolean added = add_operator (self, operator, NULL, error);

  refresh_lists (self);
  return added;
}

static const WeftModule *
admit_module (Registry *self, const char *path, GError **error)
{
  gpointer handle = dlopen (path, RTLD_NOW | RTLD_LOCAL);
  const WeftModule *module;

  if (!handle)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "cannot be loaded: %s", dlerror ());
      return NULL;
    }
  module = dlsym (handle, "weft_module");
  if (!module)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "exports no weft_module (WEFT_MODULE() is missing)");
      return NULL;
    }
  if (module->interface_major != WEFT_INTERFACE_MAJOR || module->interface_minor > WEFT_INTERFACE_MINOR)
    {
      g_set_error (error, WEFT_ERROR, WEFT_ERROR_INPUT, "needs interface %u.%u; this library serves %u.0 to %u.%u", module->interface_major,
                   module->interface_minor, WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MAJOR, WEFT_INTERFACE_MINOR);
      return NULL;
    }
  if (module->start && !module->start (error))
    return NULL;
  for (const WeftOperator *const *operator= module->first; operator< module->last; operator++)
    if (!add_operator (self, *operator, module, error))
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
  loaded->path = g_strdup (path);
  loaded->module = admit_module (self, path, &error);
  if (error)
    loaded->refused = g_strdup (error->message);
  g_ptr_array_add (self->modules, loaded);
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

/* Where this library's own modules are: beside it in a build tree, else where they were installed. */
static const char *
own_modules (void)
{
#ifdef WEFT_BUILD_MODULE_DIR
  Dl_info info;

  if (dladdr ((gconstpointer) weft_registry_load, &info) && info.dli_fname)
    {
      g_autofree char *real = g_canonicalize_filename (info.dli_fname, NULL);
      g_autofree char *dir = g_path_get_dirname (real);
      if (g_strcmp0 (dir, WEFT_BUILD_MODULE_DIR) == 0)
        return WEFT_BUILD_MODULE_DIR;
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
weft_registry_module_of (const WeftOperator *operator)
{
  return g_hash_table_lookup (registry ()->module_of, operator);
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
