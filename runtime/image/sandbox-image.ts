/** The images that sandboxes are made from, the smallest first; each holds all that is before it. */
export const SANDBOX_IMAGES = ["office", "office-browser"] as const;
export type SandboxImage = (typeof SANDBOX_IMAGES)[number];
