/* Stands for the pyconfig.h that a Python writes of the system it was built on: what the limited API needs to know of a
 * system, as its compiler tells. */
#define SIZEOF_INT __SIZEOF_INT__
#define SIZEOF_LONG_LONG __SIZEOF_LONG_LONG__
#define SIZEOF_SHORT __SIZEOF_SHORT__
#define SIZEOF_WCHAR_T __SIZEOF_WCHAR_T__
#define HAVE_SYS_TYPES_H 1
#ifndef __APPLE__ /* there Python's pymacconfig.h tells these */
#define SIZEOF_LONG __SIZEOF_LONG__
#define SIZEOF_SIZE_T __SIZEOF_SIZE_T__
#define SIZEOF_VOID_P __SIZEOF_POINTER__
#endif
#ifdef _WIN32
#define MS_WINDOWS
#define HAVE_DECLSPEC_DLL
#define Py_ENABLE_SHARED
#endif
