import type { Surface, World } from "../kit/surface.ts";
import type { ServerFacts } from "../kit/tool.ts";
import { MailAccess } from "./access.ts";
import { fileTools } from "./tools-file.ts";
import { messageTools } from "./tools-message.ts";
import { readTools } from "./tools-read.ts";
import { writeTools } from "./tools-write.ts";

/** The user's mailbox, a Maildir; what is sent lands in the mailboxes of the people of this world. */
export const mailSurface: Surface = (world: World): ServerFacts => {
  const access = new MailAccess(world);
  return {
    name: "mail",
    title: "Mail",
    instructions:
      "The mailbox of the user you act for. Messages are named by id; find them with list_messages or search_mail. " +
      "Mail goes only to people here: look addresses up with find_contacts. Dates are in the user's time zone.",
    tools: [
      ...readTools(access),
      ...messageTools(access),
      ...writeTools(access),
      ...fileTools(access),
    ],
  };
};
