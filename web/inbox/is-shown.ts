/** Whether an element is rendered. (`checkVisibility` is too new for the oldest supported browsers.) */
export function isShown(element: Element): boolean {
  return element.getClientRects().length > 0;
}
