// What was dropped or chosen: files, and all files of folders, with the names of the folders before theirs.

/** Whether no part of a name hides it: .git, .DS_Store and their like hold nothing to be read. */
export const isVisible = name => !name.split("/").some(part => part.startsWith("."));

/** `{ file, name }` of each. The entries must be taken before anything is awaited. */
export async function filesOf(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map(file => ({ file, name: file.name }));
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry, folder, found) {
  const name = folder + entry.name;
  if (entry.isFile) {
    found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), name });
    return;
  }
  if (!isVisible(entry.name)) return;
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return; // it gives a hundred at a time
    for (const one of some) await walk(one, `${name}/`, found);
  }
}
