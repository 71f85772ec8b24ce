/** How a test of somebody's app gets at a code. */
export function ForTests() {
  return (
    <div className="for-tests">
      <p className="soft">A test of your app gets the latest code from the API, and can wait for it:</p>
      <pre>
        <code>curl '{location.origin}/api/latest?to=ada@example.com&amp;wait=10'</code>
      </pre>
    </div>
  );
}
